-- POST /secrets
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- Allowed ----------------------------------------------------------------------

SELECT status, text
  FROM call('secret_create', body => '{"name": "db"}', caller => 'only create') \gset
SELECT is(:status, 200, 'secret_create answers 200');
SELECT is(audited(), 'secret_create 200 by only create on db in main', 'it is audited');
SELECT is(:'text', (call('secret_get', 'db')).text, 'the answer is the secret');
SELECT is(:'text'::jsonb - '{id,srn,created_at,updated_at}'::text[],
          format('{"project_id": "%s", "name": "db", "status": "ready", "tags": [],
                   "version_count": 0, "description": "", "managed": false, "type": "opaque",
                   "protected": false, "path": "/", "ephemeral_policy": null, "used_by": [],
                   "deletion_requested_at": null, "key_id": null,
                   "region": "fr-par"}', project('main'))::jsonb,
          'a name is enough: the key''s default project, and a default for the rest');
SELECT is((stored('db')).created_at, (stored('db')).updated_at, 'it is updated when it is created');

SELECT is((call('secret_create', body => jsonb_build_object('project_id', project('other')) || '{
              "name": "Full-1._", "tags": ["b", "a", "b"], "description": "what for",
              "type": "ssh_key", "path": "a//b/", "protected": true,
              "ephemeral_policy": {"time_to_live": "2.5s", "expires_once_accessed": true,
              "action": "delete"}}')).body
          - '{id,srn,created_at,updated_at}'::text[],
          format('{"project_id": "%s", "name": "Full-1._", "status": "ready",
                   "tags": ["b", "a", "b"], "version_count": 0, "description": "what for",
                   "managed": false, "type": "ssh_key", "protected": true, "path": "/a/b",
                   "ephemeral_policy": {"time_to_live": "2.500s", "expires_once_accessed": true,
                   "action": "delete"}, "used_by": [], "deletion_requested_at": null,
                   "key_id": null, "region": "fr-par"}',
                 project('other'))::jsonb,
          'secret_create takes all members');
SELECT is((call('secret_create', body => '{
              "name": "sdk", "tags": null, "type": "unknown_type", "description": null,
              "path": null, "ephemeral_policy": null, "protected": false, "key_id": null,
              "unheard_of": {}}')).body
          @> '{"tags": [], "type": "opaque", "description": "", "path": "/", '
             '"ephemeral_policy": null}', true,
          'secret_create takes what clients send to say nothing');

SELECT is((call('secret_create', body => '{"name": "db", "path": "/a"}')).status, 200,
          'a name can be used in another path');
SELECT is((call('secret_create', body => '{"name": "db"}',
                extra => '{"region": "nl-ams"}')).body ->> 'region', 'nl-ams', 'in another region');
SELECT is((call('secret_create', body => '{"name": "db"}', caller => 'guest')).status, 200,
          'in another project');
SELECT is((call('secret_create', body => '{"name": "scheduled"}')).status, 200,
          'and again once its secret is scheduled for deletion');

-- Under a key of the project, which the caller need have no right to.
SELECT make_key('elsewhere', caller => 'key guest');
SELECT is((call('secret_create',
                body => jsonb_build_object('name', 'under-' || key, 'key_id', secret(key)),
                caller => 'only create')).body ->> 'key_id', secret(key),
          'a secret can be under a key that is ' || key)
  FROM unnest('{live,disabled,doomed}'::text[]) AS key;
SELECT is((stored('under-live')).key_id::text, secret('live'), 'which is stored');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_create', '400 invalid_arguments name required', 'no name');
SELECT refuses('secret_create', '400 invalid_arguments name format', 'a name that is taken',
               body => '{"name": "ready", "path": "//"}');
SELECT is((call('secret_create', body => '{"name": "ready"}')).text,
          '{"details":[{"argument_name":"name",'
          '"help_message":"cannot have same secret name in same path","reason":"format"}],'
          '"message":"invalid argument(s)","type":"invalid_arguments"}',
          'in words that clients know');
SELECT refuses('secret_create',
               '400 invalid_arguments project_id format, name format, tags format, description '
               'format, '
               'type format, path format, ephemeral_policy.action required, ephemeral_policy '
               'required, protected format', 'arguments that are wrong, all together',
               body => '{"project_id": "main", "name": "a/b", "tags": [1], "description": {},
                         "type": "x", "path": "a b", "ephemeral_policy": {},
                         "protected": "false"}');
SELECT refuses('secret_create', '400 invalid_arguments key_id format', 'a key that is no UUID',
               body => '{"name": "k", "key_id": "live"}');
SELECT refuses('secret_create', '404 not_found key', title,
               body => jsonb_build_object('name', 'k', 'key_id', key), extra => extra)
  FROM (VALUES ('a key that is not there', gen_random_uuid()::text, '{}'::jsonb),
               ('a key of another project', secret('elsewhere'), '{}'),
               ('a key of another organization', secret('alien'), '{}'),
               ('a key of another region', secret('live'), '{"region": "nl-ams"}'))
                   AS t(title, key, extra);

SELECT operator.quota_set(organization('acme'), 'secret',
                          (SELECT count(*)::integer FROM store.secret
                            WHERE organization_id = organization('acme')));
SELECT matches((call('secret_create', body => '{"name": "last"}')).text,
               '^{"details":\[{"current":(\d+),"quota":\1,"resource":"secret"}\],'
               '"message":"quota\(s\) exceeded for this resource","type":"quotas_exceeded"}$',
               'secret_create refuses one more than the quota, which counts what is scheduled for '
               'deletion (SM4Q3)');
SELECT operator.quota_set(organization('acme'), 'secret', 250);

SELECT make_caller('adrift', 'acme', '{SecretManagerFullAccess}');
SELECT refuses('secret_create', '400 invalid_arguments project_id required, name required',
               'no project, when the key has no default one, and no name', body => '{}',
               caller => 'adrift');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_without_key('secret_create', body => '{"name": "x"}');
SELECT refuses('secret_create', '403 permissions_denied create secret',
               'a caller with all rights but the one', body => '{"name": "x"}',
               caller => 'all but create');
SELECT refuses('secret_create', '403 permissions_denied create secret',
               'a project where the caller has no rights', caller => 'guest',
               body => jsonb_build_object('name', 'x', 'project_id', project('main')));
SELECT refuses('secret_create', '403 permissions_denied create secret',
               'a project of another organization',
               body => jsonb_build_object('name', 'x', 'project_id', project('foreign')));
SELECT refuses('secret_create', '403 permissions_denied create secret',
               'a project that is not there',
               body => jsonb_build_object('name', 'x', 'project_id', gen_random_uuid()));

SELECT finish();
ROLLBACK;
