-- PATCH /secrets/{secret_id}/versions/{revision}
BEGIN;
\ir ../setup.sql

-- Allowed ----------------------------------------------------------------------

SELECT make_version('ready'), backdate('ready');
SELECT status, text
  FROM call('secret_version_update', 'ready', '1', caller => 'only write', body => '{
    "description": "first", "ephemeral_properties": {"expires_at": "2101-02-03T05:05:06.5+01:00",
    "expires_once_accessed": true, "action": "disable"}}') \gset
SELECT is(:status, 200, 'secret_version_update answers 200');
SELECT is(audited(), 'secret_version_update 200 by only write on ready/1 in main', 'it is audited');
SELECT is(:'text', (call('secret_version_get', 'ready', '1')).text, 'the answer is the version');
SELECT is(:'text'::jsonb - '{secret_id,srn,created_at,updated_at}'::text[],
          '{"revision": 1, "status": "enabled", "deleted_at": null, "description": "first",
            "latest": false, "ephemeral_properties": {"expires_at": "2101-02-03T04:05:06.500000Z",
            "expires_once_accessed": true, "action": "disable"}, "deletion_requested_at": null,
            "region": "fr-par"}', 'changed as asked');
SELECT cmp_ok((stored('ready', 1)).updated_at, '>', long_ago(), 'it is a change of the version');
SELECT is((stored('ready')).updated_at, long_ago(), 'and not of the secret');
SELECT is((stored('ready', 2)).updated_at, long_ago(), 'nor of another version');

SELECT is((call('secret_version_update', 'ready', '1', body => '{"description": null}')).body
              - 'updated_at',
          :'text'::jsonb - 'updated_at', 'secret_version_update leaves what is absent or null');
SELECT is((call('secret_version_update', 'ready', '1', body => '{"description": ""}')).body
              ->> 'description',
          '', 'and clears a description');
SELECT is((call('secret_version_update', 'ready', '1',
                body => '{"ephemeral_properties": {"expires_once_accessed": true, '
                        '"action": "delete"}}')).body
          -> 'ephemeral_properties',
          '{"expires_at": null, "expires_once_accessed": true, "action": "delete"}',
          'secret_version_update replaces ephemeral properties whole');
SELECT is((call('secret_version_update', 'ready', 'latest',
                body => '{"description": "d"}')).body ->> 'revision', '2',
          'secret_version_update takes latest');
SELECT given('secret_version_disable', 'ready', '2');
SELECT is((call('secret_version_update', 'ready', '2',
                body => '{"description": "e"}')).body
                    @> '{"description": "e", "status": "disabled"}', true,
          'and a disabled version, which stays so');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_version_update', '400 invalid_arguments revision format',
               'what is no revision', 'ready', 'first');
SELECT refuses('secret_version_update',
               '400 invalid_arguments description format, ephemeral_properties.expires_at '
               'constraint', 'arguments that are wrong, all together', 'ready', '1',
               body => '{"description": 1, '
                       '"ephemeral_properties": {"expires_at": "2001-01-01T00:00:00Z", '
                       '"action": "delete"}}');
SELECT refuses('secret_version_update', '403 permissions_denied delete secret_version',
               'an expiry that deletes, by a caller who may not delete', 'ready', '2',
               caller => 'all but delete',
               body => '{"ephemeral_properties": {"expires_at": "2101-01-01T00:00:00Z", '
                       '"action": "delete"}}');
SELECT refuses('secret_version_update', '412 precondition_failed protected_resource',
               'an expiry that deletes versions of a protected secret', 'protected', '1',
               body => '{"ephemeral_properties": {"expires_at": "2101-01-01T00:00:00Z", '
                       '"action": "delete"}}');
SELECT refuses('secret_version_update', '404 not_found secret_version',
               'a revision that is not there', 'ready', '7');
SELECT given('secret_version_delete', 'ready', '1');
SELECT refuses('secret_version_update', '412 precondition_failed resource_not_usable',
               'a version that is scheduled for deletion', 'ready', '1');
SELECT refuses('secret_version_update', '412 precondition_failed resource_not_usable',
               'one of a secret that is', 'scheduled', '1');
SELECT refuses('secret_version_update', '423 locked secret', 'one of a locked secret', 'locked',
               '1');
SELECT refuses('secret_version_update', '403 permissions_denied write secret_version',
               'one of a managed secret', 'managed', '1');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged('secret_version_update', 'write secret_version', '1');

SELECT finish();
ROLLBACK;
