-- What auditors ask of reads.
BEGIN;
\ir ../setup.sql
SELECT id AS owner FROM store.principal WHERE name = 'owner' \gset
SELECT 'SCW' || upper(substr(md5('owner'), 1, 17)) AS owner_key \gset
SELECT secret('ready')::uuid AS ready \gset

SELECT given('secret_version_access', 'ready', '1'), given('secret_get', 'ready'),
       call('secret_version_access', 'ready', '7', caller => 'only access'),
       call('secret_version_access', 'ready', '1', caller => 'nobody') \g /dev/null
-- now() is the beginning of the test.
UPDATE audit.event SET at = now() - interval '1 second' WHERE secret_id = :'ready'
    AND method = 'secret_version_access';

SET LOCAL ROLE coffer_auditor;
SELECT results_eq(format('SELECT principal, access_key, ip, revision FROM auditor.secret_reads(%L)',
                         :'ready'),
                  format('VALUES (''owner'', %L, ''192.0.2.1''::inet, 1)', :'owner_key'),
                  'auditor.secret_reads lists who got a value, and no one else');
SELECT is_empty(format('SELECT FROM auditor.secret_reads(%L, until => now() - interval ''1 day'')',
                       :'ready'), 'in a time');
SELECT results_eq('SELECT name, revision, principal_id FROM auditor.secret_last_read WHERE read_at '
                  'IS NOT NULL',
                  format('VALUES (''ready'' COLLATE "C", 1, %L::uuid)', :'owner'),
                      'auditor.secret_last_read knows the last read of each');
SELECT results_eq('SELECT name FROM auditor.secrets_unread(1) WHERE read_at IS NULL ORDER BY 1',
                  $$VALUES ('foreign' COLLATE "C"), ('locked'), ('managed'), ('protected')$$,
                      'auditor.secrets_unread lists those never read');
SELECT results_eq('SELECT name FROM auditor.secrets_unread(0) WHERE read_at IS NOT NULL',
                  $$VALUES ('ready' COLLATE "C")$$,
                  'and not for so many days');

SELECT finish();
ROLLBACK;
