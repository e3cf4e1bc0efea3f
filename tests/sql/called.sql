-- Calls of several callers, some of them refused, for tests of what auditors ask. Included after
-- setup.sql.

GRANT USAGE ON SCHEMA test TO PUBLIC;
SELECT id AS owner FROM store.principal WHERE name = 'owner' \gset
SELECT 'SCW' || upper(substr(md5('owner'), 1, 17)) AS owner_key \gset
SELECT secret('ready')::uuid AS ready \gset

SELECT given('secret_version_access', 'ready', '1'), given('secret_get', 'ready'),
       call('secret_version_access', 'ready', '7', caller => 'only access'),
       call('secret_version_access', 'ready', '1', caller => 'nobody'),
           call('secret_get', 'ready', caller => 'nobody'),
       call('secret_get', 'ready', caller => 'nobody'),
           call('secret_get', 'ready', caller => 'unknown'),
       call('secret_get', 'ready', caller => 'expired'),
           call('secret_get', 'ready', caller => 'revoked') \g /dev/null
-- now() is the beginning of the test.
UPDATE audit.event SET at = now() - interval '1 second' WHERE secret_id = :'ready'
    AND method = 'secret_version_access';
UPDATE store.api_key SET expires_at = now() WHERE digest = token('expired');
-- It was not revoked yet when it was refused.
UPDATE store.api_key SET revoked_at = clock_timestamp() WHERE digest = token('expired');
