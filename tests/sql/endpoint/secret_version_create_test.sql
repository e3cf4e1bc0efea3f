-- POST /secrets/{secret_id}/versions
BEGIN;
\ir ../setup.sql

-- Allowed ----------------------------------------------------------------------

SELECT backdate('ready');
SELECT status, text FROM call('secret_version_create', 'ready', data => 'hunter2',
                              caller => 'only create') \gset
SELECT is(:status, 200, 'secret_version_create answers 200');
SELECT is(audited(), 'secret_version_create 200 by only create on ready/2 in main',
          'it is audited');
SELECT is(:'text', (call('secret_version_get', 'ready', '2')).text, 'the answer is the version');
SELECT is(:'text'::jsonb - '{secret_id,srn,created_at,updated_at}'::text[],
          '{"revision": 2, "status": "enabled", "deleted_at": null, "description": "",
            "latest": true, "ephemeral_properties": null, "deletion_requested_at": null,
            "region": "fr-par"}', 'the next one, enabled');
SELECT is((stored('ready')).updated_at, long_ago(), 'it is no change of the secret');
SELECT is((stored('ready', 1)).status, 'enabled', 'nor of the version before');
SELECT is((call('secret_version_access', 'ready', '2')).body ->> 'data',
          encode('hunter2', 'base64'),
          'it holds the data');
SELECT ok(position('hunter2'::bytea IN (stored('ready', 2)).sealed) = 0
          AND NOT EXISTS (SELECT FROM audit.event e
                           WHERE e::text ~ ('hunter2|aHVudGVyMg|' || encode('hunter2', 'hex'))),
          'which is nowhere in the clear');
SELECT isnt((stored('ready', 2)).sealed, (stored('ready', 1)).sealed, 'and sealed anew each time');
SELECT is(count(DISTINCT wrapped), 2::bigint, 'under a key of its own')
  FROM store.dek WHERE secret_id = secret('ready')::uuid;

SELECT is((call('secret_version_create', 'ready', data => 'x',
                body => '{"description": "d", "data_crc32": 2363233923, "unheard_of": 1}')).body
          ->> 'description', 'd', 'secret_version_create takes a description and a checksum');
SELECT is((call('secret_version_access', 'ready', '3')).body ->> 'data_crc32', '2363233923',
          'which is kept');
SELECT hasnt_column('store', 'version', 'data_crc32', 'but sealed');
SELECT ok(NOT EXISTS (SELECT FROM audit.event e WHERE e.request::text ~ '2363233923|crc32'),
          'and not audited');
SELECT is((call('secret_version_create', 'ready',
                data => convert_to(repeat('x', 65536), 'UTF8'))).status,
          200, 'secret_version_create takes 65536 bytes');

SELECT is((call('secret_version_create', 'ready', data => 'x',
                body => '{"disable_previous": true}')).body ->> 'revision', '5',
          'secret_version_create with disable_previous');
SELECT results_eq($$SELECT status FROM store.version WHERE secret_id = secret('ready')::uuid
                     ORDER BY revision$$,
                  $$VALUES ('enabled'), ('enabled'), ('enabled'), ('disabled'), ('enabled')$$,
                  'disables the one version before the new one');
SELECT given('secret_version_delete', 'ready', '5');
SELECT is((call('secret_version_create', 'ready', data => 'x',
                body => '{"disable_previous": true}')).status,
          200,
          'secret_version_create with disable_previous after a version that is scheduled for '
          'deletion');
SELECT results_eq($$SELECT status FROM store.version WHERE secret_id = secret('ready')::uuid
                     ORDER BY revision$$,
                  $$VALUES ('enabled'), ('enabled'), ('enabled'), ('disabled'),
                           ('scheduled_for_deletion'),
                           ('enabled')$$,
                  'disables none');

SELECT make_secret('ephemeral',
                   '{"ephemeral_policy": {"time_to_live": "1800.5s", '
                   '"expires_once_accessed": true, "action": "delete"}}');
SELECT is((call('secret_version_create', 'ephemeral',
                data => 'x')).body #- '{ephemeral_properties,expires_at}' -> 'ephemeral_properties',
          '{"expires_once_accessed": true, "action": "delete"}',
          'a version gets the ephemeral policy of its secret');
SELECT is((stored('ephemeral', 1)).expires_at,
          (stored('ephemeral', 1)).created_at + interval '1800.5 s', 'counted from its creation');

SELECT expire('ephemeral', 1, 'delete');
SELECT is((call('secret_version_create', 'ephemeral', data => 'x')).body ->> 'revision', '2',
          'a revision is not used again, even when its version is gone');
SELECT is((call('secret_get', 'ephemeral')).body ->> 'version_count', '1',
          'which then does not count');

SELECT is((call('secret_version_create', 'protected', data => 'x')).status, 200,
          'a protected secret can have a new version');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_version_create', '400 invalid_arguments data required', 'no data', 'ready');
SELECT refuses('secret_version_create', '400 invalid_arguments data required', 'empty data',
               'ready', data => '');
SELECT refuses('secret_version_create', '400 invalid_arguments data format',
               'data that is not base64', 'ready', extra => '{"data": "invalid"}');
SELECT refuses('secret_version_create', '400 invalid_arguments data constraint',
               'more than 65536 bytes', 'ready', data => convert_to(repeat('x', 65537), 'UTF8'));
SELECT refuses('secret_version_create', '400 invalid_arguments data_crc32 constraint',
               'the checksum of something else', 'ready',
               data => 'x', body => '{"data_crc32": 2363233924}');
SELECT refuses('secret_version_create',
               '400 invalid_arguments description format, disable_previous format, data_crc32 '
               'format, data required', 'arguments that are wrong, all together', 'ready',
               body => '{"description": 1, "disable_previous": 1, "data_crc32": -1}');
SELECT make_secret('typed', '{"type": "basic_credentials"}');
SELECT refuses('secret_version_create', '400 invalid_arguments data format',
               'data that is not of the type of its secret', 'typed', data => '{}');
SELECT is((call('secret_version_create', 'typed',
                data => '{"username": {}}')).body #>> '{details,0,help_message}',
          E'- (root): password is required\n'
          '- username: Invalid type. Expected: string, given: object\n',
          'with one line for each fault');

SELECT operator.quota_set(organization('acme'), 'secret_version', 6);
SELECT refuses('secret_version_create', '403 quotas_exceeded secret_version 6/6',
               'one more than the quota, which counts what is scheduled for deletion', 'ready',
               data => 'x');
SELECT is((call('secret_version_create', 'ephemeral', data => 'x')).status, 200,
          'the quota is for each secret');
SELECT operator.quota_set(organization('acme'), 'secret_version', 20);
SELECT is((call('secret_version_create', 'ready', data => 'x')).body ->> 'revision', '7',
          'what was refused has used no revision');

SELECT refuses('secret_version_create', '412 precondition_failed resource_not_usable',
               'a secret that is scheduled for deletion', 'scheduled', data => 'x');
SELECT refuses('secret_version_create', '423 locked secret', 'a locked secret', 'locked',
               data => 'x');
SELECT refuses('secret_version_create', '403 permissions_denied create secret_version',
               'a managed secret', 'managed', data => 'x');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged('secret_version_create', 'create secret_version', data => 'x');

SELECT finish();
ROLLBACK;
