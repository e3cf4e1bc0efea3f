-- GET /secrets/{secret_id}/versions/{revision}
BEGIN;
\ir ../setup.sql

-- Allowed ----------------------------------------------------------------------

SELECT make_version('ready', body => '{"description": "second"}'), backdate('ready');
SELECT status, text FROM call('secret_version_get', 'ready', '2', caller => 'only read') \gset
SELECT is(:status, 200, 'secret_version_get answers 200');
SELECT is(:'text',
          format('{"revision":2,'
                 '"srn":"srn://secret-manager.scw.eu/regions/fr-par/secrets/%1$s/versions/2",'
                 '"secret_id":"%1$s","status":"enabled","created_at":"2001-02-03T04:05:06.789000Z",'
                 '"updated_at":"2001-02-03T04:05:06.789000Z","deleted_at":null,'
                 '"description":"second","latest":true,'
                 '"ephemeral_properties":null,"deletion_requested_at":null,"region":"fr-par"}',
                 secret('ready')),
          'with all members, in their order');
SELECT is(audited(), 'secret_version_get 200 by only read on ready/2 in main', 'it is audited');

SELECT is((call('secret_version_get', 'ready', '1')).body ->> 'latest', 'false',
          'only the highest revision is the latest');
SELECT given('secret_version_delete', 'ready', '2');
SELECT is((call('secret_version_get', 'ready',
                'latest')).body
                    @> '{"revision": 2, "status": "scheduled_for_deletion", "latest": true}',
          true, 'whatever its status');
SELECT is((call('secret_version_get', 'ready', 'latest_enabled')).body
              @> '{"revision": 1, "latest": false}',
          true, 'latest_enabled is the highest that is enabled');
DELETE FROM store.version WHERE secret_id = secret('ready')::uuid AND revision = 2;
SELECT is((call('secret_version_get', 'ready', 'latest')).body @> '{"revision": 1, "latest": true}',
          true, 'when the latest is purged, the highest that is left is the latest');

SELECT given('secret_version_update', 'ready', '1',
             '{"ephemeral_properties": {"expires_at": "2101-02-03T04:05:06Z", '
             '"action": "disable"}}');
SELECT is((call('secret_version_get', 'ready', '1')).body -> 'ephemeral_properties',
          '{"expires_at": "2101-02-03T04:05:06.000000Z", "expires_once_accessed": false, '
          '"action": "disable"}', 'with its ephemeral properties');
SELECT expire('ready', 1, 'disable');
SELECT is((call('secret_version_get', 'ready', '1')).body ->> 'status', 'disabled',
          'a version that has expired is disabled');
SELECT is((call('secret_version_get', 'locked', '1')).status, 200,
          'secret_version_get takes a locked secret');
SELECT is((call('secret_version_get', 'scheduled', '1')).body ->> 'deletion_requested_at',
          (call('secret_get', 'scheduled')).body ->> 'updated_at',
          'and one that is scheduled for deletion');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_version_get', '400 invalid_arguments revision format', 'what is no revision',
               'ready', '0');
SELECT refuses('secret_version_get', '404 not_found secret_version', 'a revision that is not there',
               'ready', '7');
SELECT refuses('secret_version_get', '404 not_found secret_version', 'latest_enabled when none is',
               'ready', 'latest_enabled');
SELECT expire('ready', 1, 'delete');
SELECT refuses('secret_version_get', '404 not_found secret_version',
               'a version that was to be deleted when it expired', 'ready', '1');
SELECT refuses('secret_version_get', '404 not_found secret_version', 'latest when there is none',
               'ready', 'latest');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged('secret_version_get', 'read secret_version', '1');

SELECT finish();
ROLLBACK;
