-- PATCH /secrets/{secret_id}
BEGIN;
\ir ../setup.sql

-- Allowed ----------------------------------------------------------------------

SELECT backdate('ready');
SELECT status, text FROM call('secret_update', 'ready', caller => 'only write', body => '{
    "name": "renamed", "tags": ["b", "a"], "description": "what for", "path": "a//b/",
    "ephemeral_policy": {"time_to_live": "1800.500000000s", "action": "disable"}}') \gset
SELECT is(:status, 200, 'secret_update answers 200');
SELECT is(audited(), 'secret_update 200 by only write on ready in main', 'it is audited');
SELECT is(:'text', (call('secret_get', 'ready')).text, 'the answer is the secret');
SELECT is(:'text'::jsonb - '{id,srn,project_id,created_at,updated_at}'::text[],
          '{"name": "renamed", "status": "ready", "tags": ["b", "a"], "version_count": 1,
            "description": "what for", "managed": false, "type": "opaque", "protected": false,
            "path": "/a/b", "ephemeral_policy": {"time_to_live": "1800.500s",
            "expires_once_accessed": false, "action": "disable"}, "used_by": [],
            "deletion_requested_at": null, "key_id": null,
            "region": "fr-par"}', 'changed as asked');
SELECT is((stored('ready')).created_at, long_ago(), 'created when it was');
SELECT cmp_ok((stored('ready')).updated_at, '>', long_ago(), 'and updated now');
SELECT results_eq($$SELECT action, updated_at FROM stored('ready', 1)$$,
                  $$VALUES (NULL, long_ago())$$,
                  'the policy leaves the versions alone that there are');

SELECT backdate('ready');
SELECT is((call('secret_update', 'ready',
                body => '{"tags": null, "name": null, "unheard_of": 1}')).body - 'updated_at',
          :'text'::jsonb - 'updated_at' || '{"created_at": "2001-02-03T04:05:06.789000Z"}',
          'secret_update leaves what is absent, null or unknown');
SELECT cmp_ok((stored('ready')).updated_at, '>', long_ago(), 'and is a change nevertheless');

SELECT is((call('secret_update', 'ready', body => '{"tags": [], "description": ""}')).body
              - 'updated_at',
          :'text'::jsonb - 'updated_at'
              || '{"created_at": "2001-02-03T04:05:06.789000Z", "tags": [], "description": ""}',
          'secret_update clears tags and description, and nothing else');
SELECT is((call('secret_update', 'ready',
                body => '{"ephemeral_policy": {"expires_once_accessed": true, '
                        '"action": "delete"}}')).body
          -> 'ephemeral_policy',
          '{"time_to_live": null, "expires_once_accessed": true, "action": "delete"}',
          'secret_update replaces a policy whole');
SELECT is((call('secret_update', 'ready', body => '{"path": "/"}')).body ->> 'path', '/',
          'secret_update moves a secret, its name being free there');
SELECT is((call('secret_update', 'ready', body => '{"name": "renamed"}')).status, 200,
          'a secret may keep its name');
SELECT is((call('secret_update', 'ready', body => '{"name": "scheduled"}')).status, 200,
          'or have that of one that is scheduled for deletion');
SELECT is((call('secret_update', 'protected', body => '{"description": "d"}')).status, 200,
          'secret_update takes a protected secret');
SELECT is((call('secret_update', 'protected',
                body => '{"type": "ssh_key", "key_id": "no", "protected": false}')).body
          @> '{"type": "opaque", "key_id": null, "protected": true}', true,
          'secret_update has no way to change type, key_id or protected');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_update', '400 invalid_arguments name format', 'a name that is taken',
               'ready', body => '{"name": "protected"}');
SELECT is((call('secret_update', 'ready', body => '{"name": "protected"}')).text,
          '{"details":[{"argument_name":"name",'
          '"help_message":"cannot have same secret name in same path","reason":"format"}],'
          '"message":"invalid argument(s)","type":"invalid_arguments"}',
          'in words that clients know');
SELECT make_secret('ready', '{"path": "/a"}');
SELECT refuses('secret_update', '400 invalid_arguments name format',
               'a path where the name is taken',
               'ready', body => '{"path": "/", "name": "protected"}');
SELECT refuses('secret_update',
               '400 invalid_arguments name format, tags format, path format, '
               'ephemeral_policy.action required, ephemeral_policy required',
               'arguments that are wrong, all together', 'ready',
               body => '{"name": "a b", "tags": "a", "path": "?", "ephemeral_policy": {}}');
SELECT refuses('secret_update', '403 permissions_denied delete secret',
               'a policy that deletes, by a caller who may not delete', 'protected',
               caller => 'all but delete',
               body => '{"ephemeral_policy": {"time_to_live": "1s", "action": "delete"}}');
SELECT refuses('secret_update', '412 precondition_failed protected_resource',
               'a policy that deletes versions of a protected secret', 'protected',
               body => '{"ephemeral_policy": {"time_to_live": "1s", "action": "delete"}}');
SELECT refuses('secret_update', '412 precondition_failed resource_not_usable',
               'a secret that is scheduled for deletion', 'scheduled');
SELECT refuses('secret_update', '423 locked secret', 'a locked secret', 'locked');
SELECT refuses('secret_update', '403 permissions_denied write secret', 'a managed secret',
               'managed');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged('secret_update', 'write secret', body => '{"name": "mine"}');

SELECT finish();
ROLLBACK;
