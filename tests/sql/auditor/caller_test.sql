-- What auditors ask of callers: what they did, what was refused to them, their API keys.
BEGIN;
\ir ../setup.sql
GRANT USAGE ON SCHEMA test TO PUBLIC;
SELECT id AS owner FROM store.principal WHERE name = 'owner' \gset
SELECT 'SCW' || upper(substr(md5('owner'), 1, 17)) AS owner_key \gset
SELECT secret('ready')::uuid AS ready \gset

SELECT given('secret_version_access', 'ready', '1'), given('secret_get', 'ready'),
       call('secret_version_access', 'ready', '7', caller => 'only access'),
       call('secret_version_access', 'ready', '1', caller => 'nobody'), call('secret_get', 'ready', caller => 'nobody'),
       call('secret_get', 'ready', caller => 'nobody'), call('secret_get', 'ready', caller => 'unknown'),
       call('secret_get', 'ready', caller => 'expired'), call('secret_get', 'ready', caller => 'revoked') \g /dev/null
-- now() is the beginning of the test.
UPDATE audit.event SET at = now() - interval '1 second' WHERE secret_id = :'ready' AND method = 'secret_version_access';
UPDATE store.api_key SET expires_at = now() WHERE digest = token('expired');
-- It was not revoked yet when it was refused.
UPDATE store.api_key SET revoked_at = clock_timestamp() WHERE digest = token('expired');

SET LOCAL ROLE coffer_auditor;
SELECT is((SELECT array_agg(method) FROM auditor.api_key_events(:'owner_key') WHERE secret_id = :'ready'),
          '{secret_get,secret_version_create,secret_create,secret_version_access}', 'auditor.api_key_events lists what was called with a key');
SELECT is((SELECT array_agg(method) FROM auditor.principal_events(:'owner') WHERE secret_id = :'ready' OR method LIKE 'operator.%'),
          '{secret_get,secret_version_create,secret_create,operator.api_key_add,operator.policy_create,operator.principal_create,'
          'secret_version_access}', 'auditor.principal_events that of a principal, and what was done to it');
SELECT is_empty(format('SELECT FROM auditor.%s(%L, until => now() - interval ''1 day'')', name, of_what), 'auditor.' || name || ' in a time')
  FROM (VALUES ('api_key_events', :'owner_key'), ('principal_events', :'owner')) AS t(name, of_what);
SELECT results_eq('SELECT principal, error, api_key, method, refused, ips FROM auditor.refusals()',
                  $$VALUES ('nobody', 'permissions_denied', NULL, 'secret_get', 2::bigint, '{192.0.2.1}'::inet[]),
                           ('expired', 'denied_authentication', 'expired', 'secret_get', 1, '{192.0.2.1}'),
                           ('nobody', 'permissions_denied', NULL, 'secret_version_access', 1, '{192.0.2.1}'),
                           ('only access', 'not_found', NULL, 'secret_version_access', 1, '{192.0.2.1}'),
                           ('revoked', 'denied_authentication', 'revoked', 'secret_get', 1, '{192.0.2.1}'),
                           (NULL, 'denied_authentication', 'unknown', 'secret_get', 1, '{192.0.2.1}')$$,
                  'auditor.refusals counts refusals by principal and reason');
SELECT is_empty('SELECT FROM auditor.refusals(until => now() - interval ''1 day'')', 'in a time');

SELECT isnt_empty('SELECT FROM auditor.api_keys_unused(1) WHERE principal = ''only write''', 'auditor.api_keys_unused lists keys that were not used');
SELECT is_empty('SELECT FROM auditor.api_keys_unused(1) WHERE principal IN (''owner'', ''expired'', ''revoked'')',
                'not those that were, or do not work');
RESET ROLE;
UPDATE store.api_key SET expires_at = now() + interval '10 days' WHERE digest = token('only write');
SET LOCAL ROLE coffer_auditor;
SELECT results_eq('SELECT principal FROM auditor.api_keys_expiring()', 'VALUES (''only write'')', 'auditor.api_keys_expiring lists keys that expire soon');
SELECT is_empty('SELECT principal FROM auditor.api_keys_expiring(9)', 'in so many days');
SELECT results_eq('SELECT access_key FROM auditor.api_key WHERE used_at IS NOT NULL AND principal = ''owner''', format('VALUES (%L)', :'owner_key'),
                  'auditor.api_key knows the last use of each');

SELECT finish();
ROLLBACK;
