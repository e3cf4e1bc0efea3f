-- What auditors ask: reads, callers, refusals, API keys, versions.
BEGIN;
\ir ../setup.sql
GRANT USAGE ON SCHEMA test TO PUBLIC;
GRANT SELECT ON test.secret_name TO PUBLIC;
SELECT id AS owner FROM store.principal WHERE name = 'owner' \gset
SELECT 'SCW' || upper(substr(md5('owner'), 1, 17)) AS owner_key \gset
SELECT secret('ready')::uuid AS ready \gset

SELECT given('secret_version_access', 'ready', '1'), given('secret_get', 'ready'),
       call('secret_version_access', 'ready', '7', caller => 'only access'),
       call('secret_version_access', 'ready', '1', caller => 'nobody'), call('secret_get', 'ready', caller => 'nobody'),
       call('secret_get', 'ready', caller => 'nobody'), call('secret_get', 'ready', caller => 'unknown') \g /dev/null
-- now() is the beginning of the test.
UPDATE audit.event SET at = now() - interval '1 second' WHERE secret_id = :'ready' AND method = 'secret_version_access';
UPDATE store.api_key SET expires_at = now() WHERE digest = token('expired');

SET LOCAL ROLE coffer_auditor;

-- Reads
SELECT results_eq(format('SELECT principal, access_key, ip, revision FROM auditor.secret_reads(%L)', :'ready'),
                  format('VALUES (''owner'', %L, ''192.0.2.1''::inet, 1)', :'owner_key'),
                  'auditor.secret_reads lists who got a value, and no one else');
SELECT is_empty(format('SELECT FROM auditor.secret_reads(%L, until => now() - interval ''1 day'')', :'ready'), 'in a time');
SELECT results_eq('SELECT name, revision, principal_id FROM auditor.secret_last_read WHERE read_at IS NOT NULL',
                  format('VALUES (''ready'' COLLATE "C", 1, %L::uuid)', :'owner'), 'auditor.secret_last_read knows the last read of each');
SELECT results_eq('SELECT name FROM auditor.secrets_unread(1) WHERE read_at IS NULL ORDER BY 1',
                  $$VALUES ('foreign' COLLATE "C"), ('locked'), ('managed'), ('protected')$$, 'auditor.secrets_unread lists those never read');
SELECT results_eq('SELECT name FROM auditor.secrets_unread(0) WHERE read_at IS NOT NULL', $$VALUES ('ready' COLLATE "C")$$,
                  'and not for so many days');

-- Callers
SELECT is((SELECT array_agg(method) FROM auditor.api_key_events(:'owner_key') WHERE secret_id = :'ready'),
          '{secret_get,secret_version_create,secret_create,secret_version_access}', 'auditor.api_key_events lists what was called with a key');
SELECT is((SELECT array_agg(method) FROM auditor.principal_events(:'owner') WHERE secret_id = :'ready' OR method LIKE 'operator.%'),
          '{secret_get,secret_version_create,secret_create,operator.api_key_add,operator.policy_create,operator.principal_create,'
          'secret_version_access}', 'auditor.principal_events that of a principal, and what was done to it');
SELECT results_eq('SELECT principal, error, method, refused, ips FROM auditor.refusals()',
                  $$VALUES ('nobody', 'permissions_denied', 'secret_get', 2::bigint, '{192.0.2.1}'::inet[]),
                           ('nobody', 'permissions_denied', 'secret_version_access', 1, '{192.0.2.1}'),
                           ('only access', 'not_found', 'secret_version_access', 1, '{192.0.2.1}'),
                           (NULL, 'denied_authentication', 'secret_get', 1, '{192.0.2.1}')$$,
                  'auditor.refusals counts refusals by principal and reason');

-- API keys
SELECT isnt_empty('SELECT FROM auditor.api_keys_unused(1) WHERE principal = ''only write''', 'auditor.api_keys_unused lists keys that were not used');
SELECT is_empty('SELECT FROM auditor.api_keys_unused(1) WHERE principal IN (''owner'', ''expired'', ''revoked'')',
                'not those that were, or do not work');
RESET ROLE;
UPDATE store.api_key SET expires_at = now() + interval '10 days' WHERE digest = token('only write');
SET LOCAL ROLE coffer_auditor;
SELECT results_eq('SELECT principal FROM auditor.api_keys_expiring()', 'VALUES (''only write'')', 'auditor.api_keys_expiring lists keys that expire soon');
SELECT is_empty('SELECT principal FROM auditor.api_keys_expiring(9)', 'in so many days');

-- Versions
RESET ROLE;
SELECT backdate('locked');
UPDATE store.version SET expires_at = now() + interval '10 days', action = 'disable', expires_once_accessed = false WHERE secret_id = :'ready';
SET LOCAL ROLE coffer_auditor;
SELECT results_eq('SELECT name, revision, latest FROM auditor.versions_old()', $$VALUES ('locked' COLLATE "C", 1, true)$$, 'auditor.versions_old lists old versions');
SELECT results_eq('SELECT name FROM auditor.versions_expiring()', $$VALUES ('ready' COLLATE "C")$$, 'auditor.versions_expiring those that expire soon');
SELECT is_empty('SELECT name FROM auditor.versions_expiring(9)', 'in so many days');
SELECT results_eq('SELECT name FROM auditor.versions_unprotected() ORDER BY name',
                  $$VALUES ('foreign' COLLATE "C"), ('locked'), ('managed'), ('ready')$$, 'auditor.versions_unprotected those without protection');

-- What an auditor may not
SELECT throws_ok(format('SELECT * FROM %s', name), '42501', NULL, 'an auditor does not read ' || name)
  FROM unnest('{audit.event,audit.seal,store.secret,store.version,store.dek,store.kek,store.signer,store.api_key}'::text[]) AS name;
SELECT throws_ok('DELETE FROM auditor.event', NULL, NULL, 'nor writes through the views');
SELECT is_empty($$SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                   WHERE c.relnamespace = 'auditor'::regnamespace AND a.attname IN ('sealed', 'wrapped', 'digest')$$,
                'which show nothing sealed or wrapped');

SELECT finish();
ROLLBACK;
