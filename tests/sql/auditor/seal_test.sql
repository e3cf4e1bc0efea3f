-- auditor.seal, signer, epoch, month: what proves the audit, for auditors.
BEGIN;
\ir ../setup.sql
\ir ../sealed.sql
INSERT INTO store.signer VALUES ('0123456789abcdef', sha256('public'), '0123456789abcdef',
                                 decode(repeat('00', 60), 'hex'));
INSERT INTO audit.month VALUES ('2001-02-01', now(), NULL);

CREATE TEMP TABLE seen (what text, n bigint);
GRANT INSERT ON seen TO coffer_auditor;
SET LOCAL ROLE coffer_auditor;
INSERT INTO seen SELECT 'seal', count(*) FROM auditor.seal UNION ALL SELECT 'signer', count(*)
FROM auditor.signer
       UNION ALL SELECT 'epoch', count(*) FROM auditor.epoch UNION ALL SELECT 'month', count(*)
           FROM auditor.month;
SELECT throws_ok(format('DELETE FROM auditor.%s', what), '42501', NULL,
                 'an auditor does not delete from auditor.' || what)
  FROM unnest('{seal,signer,epoch,month}'::text[]) AS what;
RESET ROLE;
SELECT results_eq('SELECT what, n FROM seen', $$VALUES ('seal', 5::bigint), ('signer', 1),
                  ('epoch', 1), ('month', 1)$$,
                  'an auditor sees seals, signers, epochs and months');
SELECT results_eq('SELECT s.* FROM auditor.seal s ORDER BY no',
                  'SELECT s.* FROM audit.seal s ORDER BY no', 'of a seal all of it');
SELECT is((SELECT s.public_key FROM auditor.signer s), sha256('public'),
          'of a signer the public key');
SELECT columns_are('auditor', 'signer', '{id,public_key,created_at,retired_at}'::name[],
                   'and not the private one, though it is wrapped');

SELECT finish();
ROLLBACK;
