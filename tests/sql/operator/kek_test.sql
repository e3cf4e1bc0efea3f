BEGIN;
\ir ../setup.sql
\ir ../keys.sql

SELECT is_empty('SELECT FROM operator.key_rotation', 'nothing is being replaced');
SET SESSION AUTHORIZATION coffer_operator;
SELECT throws_ok($$SELECT operator.kek_rotate(gen_random_uuid())$$, 'SM900',
                 'there is no such project',
                 'operator.kek_rotate refuses a project that is not there (SM900)');
RESET SESSION AUTHORIZATION;
SELECT operator.kek_rotate(project('main')) \g /dev/null
SELECT is(audited(), format('operator.kek_rotate 200 by %s in main', session_user),
          'it is audited');
SELECT is(detail('operator.kek_rotate'),
          jsonb_build_object('kek_id', k.id, 'before', '{"rotate_requested_at": null}'::jsonb),
          'with the key that is to be replaced') FROM store.kek k
              WHERE k.project_id = project('main') AND k.key_id IS NULL;
SELECT min(rotate_requested_at) AS since FROM store.kek WHERE project_id = project('main') \gset
SELECT operator.kek_rotate(project('main')) \g /dev/null
SELECT is(min(rotate_requested_at), :'since', 'again: nothing') FROM store.kek
 WHERE project_id = project('main');
SELECT is(detail('operator.kek_rotate') #>> '{before,rotate_requested_at}',
          rule.render_time(:'since'::timestamptz), 'which the audit says');
SELECT is((project_id, state, versions_left), (project('main'), 'wanted'::text, 5::bigint),
          'operator.key_rotation says what is wanted') FROM operator.key_rotation;
UPDATE store.kek SET active = false, rotate_requested_at = NULL WHERE project_id = project('main')
    AND key_id IS NULL;
SELECT is((state, versions_left), ('moving'::text, 5::bigint), 'and what is on its way')
  FROM operator.key_rotation;
SELECT make_secret('s', jsonb_build_object('key_id', secret('live'))), make_version('s'),
       given_key('key_rotate', 'live'),
       given_key('key_rotate', 'guarded');
SELECT results_eq('SELECT key_id, state, versions_left FROM operator.key_rotation WHERE key_id IS '
                  'NOT NULL',
                  format('VALUES (%L::uuid, %L, 1::bigint)', secret('live'), 'moving'),
                  'and which older rotations of managed keys have versions under them');
SELECT operator.kek_rotate(project('main')) \g /dev/null
SELECT is_empty('SELECT FROM store.kek WHERE key_id IS NOT NULL AND rotate_requested_at IS NOT '
                'NULL',
                'operator.kek_rotate is not for managed keys');
SELECT operator.project_create(organization('acme'), 'fresh') AS fresh \gset
SELECT lives_ok(format('SELECT operator.kek_rotate(%L)', :'fresh'),
                'a project without a key has nothing to replace');

SELECT finish();
ROLLBACK;
