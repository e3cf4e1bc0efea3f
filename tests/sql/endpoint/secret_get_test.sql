-- GET /secrets/{secret_id}
BEGIN;
\ir ../setup.sql

-- Allowed ----------------------------------------------------------------------

SELECT make_secret('full', '{
           "tags": ["b", "a"], "description": "what for", "path": "/a/b", "type": "key_value",
           "protected": true, "ephemeral_policy": {"time_to_live": "1800s",
           "expires_once_accessed": true, "action": "delete"}}'),
       make_version('full', '{"k": "v"}'), make_version('full', '{"k": "v"}'),
       given('secret_add_owner', 'full', body => '{"product": "s2s_vpn"}'), backdate('full');
SELECT status, text FROM call('secret_get', 'full', caller => 'only read') \gset
SELECT is(:status, 200, 'secret_get answers 200');
SELECT is(:'text',
          format('{"id":"%1$s","srn":"srn://secret-manager.scw.eu/regions/fr-par/secrets/%1$s",'
                 '"project_id":"%2$s","name":"full","status":"ready",'
                 '"created_at":"2001-02-03T04:05:06.789000Z",'
                 '"updated_at":"2001-02-03T04:05:06.789000Z","tags":["b","a"],"version_count":2,'
                 '"description":"what for","managed":false,"type":"key_value","protected":true,'
                 '"path":"/a/b",'
                 '"ephemeral_policy":{"time_to_live":"1800s","expires_once_accessed":true,'
                 '"action":"delete"},'
                 '"used_by":["s2s_vpn"],"deletion_requested_at":null,"key_id":null,'
                 '"region":"fr-par"}', secret('full'), project('main')),
          'with all members, in their order');
SELECT is(audited(), 'secret_get 200 by only read on full in main', 'it is audited');

SELECT is((call('secret_get', 'managed')).body ->> 'managed', 'true',
          'secret_get shows a managed secret');
SELECT is((call('secret_get', 'locked')).body ->> 'status', 'locked',
          'secret_get shows a locked secret');
SELECT is((call('secret_get', 'scheduled')).body ->> 'deletion_requested_at',
          (call('secret_get', 'scheduled')).body ->> 'updated_at',
          'secret_get shows a secret that is scheduled for deletion');
SELECT is((call('secret_get', upper(secret('ready')))).body ->> 'id', secret('ready'),
          'secret_get takes a UUID in capitals');

SELECT expire('ready', 1, 'delete');
SELECT is((call('secret_get', 'ready')).body ->> 'version_count', '0',
          'secret_get does not count a version that has expired');

-- Refused and unprivileged -----------------------------------------------------

SELECT refuses_unprivileged('secret_get', 'read secret');

SELECT finish();
ROLLBACK;
