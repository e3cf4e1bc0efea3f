-- GET /secrets/{secret_id}/versions/{revision}/access
BEGIN;
\ir ../setup.sql

-- Allowed ----------------------------------------------------------------------

SELECT make_version('ready', 'hunter2', '{"data_crc32": 659029078}'), backdate('ready');
SELECT status, text FROM call('secret_version_access', 'ready', '2', caller => 'only access') \gset
SELECT is(:status, 200, 'secret_version_access answers 200');
SELECT is(:'text',
          format('{"secret_id":"%s","revision":2,"data":"aHVudGVyMg==","data_crc32":659029078,'
                 '"type":"opaque"}', secret('ready')),
          'with data and checksum');
SELECT is(audited(), 'secret_version_access 200 by only access on ready/2 in main',
          'it is audited');
SELECT is((stored('ready', 2)).updated_at, long_ago(), 'it is no change');

SELECT is((call('secret_version_access', 'ready', '1')).body -> 'data_crc32', 'null',
          'the checksum is null if the client gave none');
SELECT is((call('secret_version_access', 'ready', 'latest')).body ->> 'revision', '2',
          'secret_version_access takes latest');
SELECT given('secret_version_disable', 'ready', '2');
SELECT is((call('secret_version_access', 'ready', 'latest_enabled')).body ->> 'revision', '1',
          'and latest_enabled');
SELECT is((call('secret_version_access', 'managed', '1')).status, 200, 'and a managed secret');
SELECT make_secret('long', '{"type": "key_value"}'),
       make_version('long', '{"k": "' || repeat('v', 1000) || '"}');
SELECT is((call('secret_version_access', 'long', '1')).body - 'secret_id',
          format('{"revision": 1, "data": "%s", "data_crc32": null, "type": "key_value"}',
                 replace(encode(('{"k": "' || repeat('v', 1000) || '"}')::bytea, 'base64'), E'\n',
                         ''))::jsonb,
          'data are in one line, as they were given');

SELECT given('secret_version_update', 'ready', '1',
             body => '{"ephemeral_properties": {"expires_once_accessed": true, '
                     '"action": "disable"}}'),
       backdate('ready');
SELECT is((call('secret_version_access', 'ready', '1')).body ->> 'data', encode('value', 'base64'),
          'a version to be read once can be read');
SELECT is((stored('ready', 1)).status, 'disabled', 'and is disabled, if that is its action');
SELECT cmp_ok((stored('ready', 1)).updated_at, '>', long_ago(), 'which is a change');
SELECT make_secret('once',
                   '{"ephemeral_policy": {"expires_once_accessed": true, "action": "delete"}}'),
       make_version('once');
SELECT is((call('secret_version_access', 'once', '1')).body ->> 'data', encode('value', 'base64'),
          'a version to be read once can be read');
SELECT is_empty($$SELECT FROM store.version WHERE secret_id = secret('once')::uuid
                  UNION ALL SELECT FROM store.dek WHERE secret_id = secret('once')::uuid$$,
                'and is gone with its key, if that is its action');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_version_access', '400 invalid_arguments revision format',
               'what is no revision', 'ready', 'newest');
SELECT refuses('secret_version_access', '404 not_found secret_version',
               'a revision that is not there', 'ready', '7');
SELECT refuses('secret_version_access', '412 precondition_failed resource_not_usable',
               'a disabled version, even the latest', 'ready', 'latest');
SELECT refuses('secret_version_access', '412 precondition_failed resource_not_usable',
               'one that was read once and disabled', 'ready', '1');
SELECT refuses('secret_version_access', '404 not_found secret_version',
               'one that was read once and deleted', 'once', '1');
SELECT refuses('secret_version_access', '404 not_found secret_version',
               'latest_enabled when none is', 'ready', 'latest_enabled');
SELECT given('secret_version_enable', 'ready', '1'), expire('ready', 1, 'disable');
SELECT refuses('secret_version_access', '412 precondition_failed resource_not_usable',
               'one that has just expired', 'ready', '1');
SELECT expire('ready', 1, 'delete');
SELECT refuses('secret_version_access', '404 not_found secret_version',
               'one that was to be deleted when it expired', 'ready', '1');
SELECT given('secret_version_delete', 'ready', '2');
SELECT refuses('secret_version_access', '412 precondition_failed resource_not_usable',
               'a version that is scheduled for deletion', 'ready', '2');
SELECT refuses('secret_version_access', '412 precondition_failed resource_not_usable',
               'one of a secret that is', 'scheduled', '1');
SELECT refuses('secret_version_access', '423 locked secret', 'one of a locked secret', 'locked',
               '1');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged('secret_version_access', 'access secret_version', '1');

SELECT finish();
ROLLBACK;
