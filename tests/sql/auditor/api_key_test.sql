BEGIN;
\ir ../setup.sql
\ir ../called.sql

SET LOCAL ROLE coffer_auditor;
SELECT is((SELECT array_agg(method) FROM auditor.api_key_events(:'owner_key')
           WHERE secret_id = :'ready'),
          '{secret_get,secret_version_create,secret_create,secret_version_access}',
              'auditor.api_key_events lists what was called with a key');
SELECT is_empty(format('SELECT FROM auditor.api_key_events(%L, until => now() - interval ''1 '
                       'day'')', :'owner_key'), 'in a time');

SELECT isnt_empty('SELECT FROM auditor.api_keys_unused(1) WHERE principal = ''only write''',
                  'auditor.api_keys_unused lists keys that were not used');
SELECT is_empty('SELECT FROM auditor.api_keys_unused(1) WHERE principal IN (''owner'', '
                '''expired'', ''revoked'')',
                'not those that were, or do not work');
RESET ROLE;
UPDATE store.api_key SET expires_at = now() + interval '10 days' WHERE digest = token('only write');
SET LOCAL ROLE coffer_auditor;
SELECT results_eq('SELECT principal FROM auditor.api_keys_expiring()', 'VALUES (''only write'')',
                  'auditor.api_keys_expiring lists keys that expire soon');
SELECT is_empty('SELECT principal FROM auditor.api_keys_expiring(9)', 'in so many days');
SELECT results_eq('SELECT access_key FROM auditor.api_key WHERE used_at IS NOT NULL AND principal '
                  '= ''owner''', format('VALUES (%L)', :'owner_key'),
                  'auditor.api_key knows the last use of each');

SELECT finish();
ROLLBACK;
