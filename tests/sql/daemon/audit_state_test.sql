-- daemon.audit_state: how far behind the seals are.
BEGIN;
\ir ../setup.sql
\ir ../sealed.sql
SELECT '0123456789abcdef' AS signer, decode(repeat('ab', 64), 'hex') AS signature \gset
INSERT INTO store.signer
VALUES (:'signer', sha256('public'), :'signer', decode(repeat('00', 60), 'hex'));
UPDATE audit.seal SET sealed_at = now() - interval '1 hour' WHERE no = 2;

SET LOCAL ROLE coffer_api;
SELECT daemon.seal_sign(no, :'signer', :'signature'), daemon.anchor_end(no)
  FROM generate_series(0, 1) AS no;
SELECT is((SELECT unanchored FROM daemon.audit_state()), 3::bigint,
          'daemon.audit_state says how many seals are not anchored');
SELECT cmp_ok((SELECT seal_lag FROM daemon.audit_state()), '>', 0::bigint,
              'how old what is not signed is');
SELECT cmp_ok((SELECT anchor_lag FROM daemon.audit_state()), '>=', 3600::bigint,
              'how old the oldest seal is that is not anchored');
SELECT is((SELECT months_ahead FROM daemon.audit_state()), 12,
          'and for how many months there are partitions');
SELECT daemon.seal_sign(no, :'signer', :'signature') FROM generate_series(2, 4) AS no;
SELECT is((SELECT seal_lag FROM daemon.audit_state()), 0::bigint,
          'there is no lag when all is signed');
SELECT is((SELECT unsealed FROM daemon.audit_state()), 0::bigint, 'and no row without a seal');
SELECT daemon.anchor_end(no) FROM generate_series(2, 4) AS no;
SELECT results_eq('SELECT unanchored, anchor_lag FROM daemon.audit_state()',
                  'VALUES (0::bigint, 0::bigint)', 'and none when all is anchored');
RESET ROLE;
SELECT make_event(9, 9, month()), setval('audit.event_id', 11);
SELECT is((SELECT unsealed FROM daemon.audit_state()), 3::bigint,
          'rows without a seal are reckoned from the first of them and the last of all');
SELECT cmp_ok((SELECT seal_lag FROM daemon.audit_state()), '>=',
              extract(epoch FROM now() - month())::bigint, 'and one again when a row has no seal');
DO $$ BEGIN EXECUTE format('DROP TABLE audit.%I',
                           rule.audit_partition((test.month() + interval '2 months')::date));
     END $$;
SELECT is((SELECT months_ahead FROM daemon.audit_state()), 1,
          'daemon.audit_state counts the months up to the first that is missing');

-- The last change that the feed can give.
UPDATE audit.settled SET id = 0;
SELECT is((SELECT last_change FROM daemon.audit_state()), NULL,
          'daemon.audit_state knows no change that is not complete');
UPDATE audit.settled SET id = 1000000;
UPDATE audit.event SET error = NULL, method = 'secret_update' WHERE id IN (3, 4);
SELECT is((SELECT last_change FROM daemon.audit_state()), 4::bigint, 'and else the last of them');

SELECT finish();
ROLLBACK;
