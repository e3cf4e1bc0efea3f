BEGIN;
\ir ../setup.sql

-- Others in the place of a project's key.
SELECT id AS old FROM store.kek WHERE project_id = project('main') AND active \gset
\set new 44444444-0000-0000-0000-000000000004

CREATE FUNCTION test.replace(old uuid, new uuid,
                             root text DEFAULT '0123456789abcdef') RETURNS bigint LANGUAGE sql AS $$
    SELECT daemon.kek_replace(ARRAY[old], ARRAY[new], root, ARRAY[decode(repeat('02', 60), 'hex')])
$$;

SELECT is_empty('SELECT * FROM daemon.kek_due(NULL, 10)', 'nothing is due while nobody has asked');
SELECT is(replace(:'old', :'new'), 0::bigint, 'and nothing is replaced');
SELECT operator.kek_rotate(project('main')) \g /dev/null
SELECT results_eq('SELECT * FROM daemon.kek_due(NULL, 10)',
                  format('SELECT %L::uuid, project(%L), %L::text', :'old', 'main',
                         '0123456789abcdef'),
                  'daemon.kek_due gives what an operator wants replaced, and the root key for '
                  'that');
SELECT is_empty(format('SELECT * FROM daemon.kek_due(%L, 10)', :'old'), 'after the last one');
SELECT is(replace(:'old', :'new', root => 'retired'), 0::bigint,
          'nothing is replaced by what is not under the active root key');
SELECT is(replace(:'old', :'new'), 1::bigint, 'daemon.kek_replace replaces it');
SELECT is(replace(:'old', gen_random_uuid()), 0::bigint, 'once');
SELECT set_eq(format('SELECT id, active, rotate_requested_at FROM store.kek WHERE project_id = %L',
                     project('main')),
              format('VALUES (%L::uuid, false, NULL::timestamptz), (%L, true, NULL)', :'old',
                     :'new'),
              'the new one is active, the old one stays');
SELECT is(brief(call('secret_version_access', 'ready', revision => '1')), '200',
          'what was encrypted before is decrypted');
SELECT is_empty('SELECT * FROM daemon.kek_due(NULL, 10)', 'and nothing is due any more');

-- The first key of a project.
\ir ../keys.sql
CREATE FUNCTION test.kept(project text, kek text, byte text,
                          root text DEFAULT '0123456789abcdef') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_project CONSTANT uuid := project(project);
    v_answer  text;
BEGIN
    SET LOCAL SESSION AUTHORIZATION coffer_api;
    v_answer := (SELECT string_agg(concat_ws(' ', k.kek_id, k.root_id, encode(k.wrapped, 'hex')),
                                   ', ')
                   FROM daemon.kek_keep(v_project, kek::uuid, root, decode(repeat(byte, 60), 'hex'))
                        AS k);
    RESET SESSION AUTHORIZATION;
    RETURN v_answer;
END
$$;

-- whose rotation is no key of the project itself
SELECT make_key('first', caller => 'key guest');
SELECT is(kept('other', '00000000-0000-0000-0000-000000000001', '01', 'retired'), NULL,
          'daemon.kek_keep keeps none that is not under the active root key');
SELECT is(kept('other', '11111111-0000-0000-0000-000000000001', '01'),
          '11111111-0000-0000-0000-000000000001 0123456789abcdef ' || repeat('01', 60),
          'daemon.kek_keep keeps the first key-encryption key of a project');
SELECT is(kept('other', '22222222-0000-0000-0000-000000000002', '02'),
          '11111111-0000-0000-0000-000000000001 0123456789abcdef ' || repeat('01', 60),
          'and gives that to who comes later');
SELECT is(kept('other', '22222222-0000-0000-0000-000000000002', '02', 'retired'),
          '11111111-0000-0000-0000-000000000001 0123456789abcdef ' || repeat('01', 60),
          'also to one with another root key');
SELECT is_empty($$SELECT FROM store.kek WHERE id = '22222222-0000-0000-0000-000000000002'$$,
                'whose own is not kept');
UPDATE store.kek SET active = false WHERE project_id = project('other') AND key_id IS NULL;
SELECT is(kept('other', '33333333-0000-0000-0000-000000000003', '03'),
          '33333333-0000-0000-0000-000000000003 0123456789abcdef ' || repeat('03', 60),
          'a project has one key-encryption key that is active');
SELECT throws_ok($$SELECT daemon.kek_keep(gen_random_uuid(), gen_random_uuid(), '0123456789abcdef',
                                          decode(repeat('00', 60), 'hex'))$$, '23503', NULL,
                 'a project that is not there gets none (23503)');
UPDATE store.kek SET active = false;
SELECT throws_ok($$SELECT daemon.kek_keep(project('other'), gen_random_uuid(), '0123456789abcdef',
                                          '\x00')$$, '23514', NULL,
                 'what cannot be a wrapped key is not kept (23514)');

SELECT finish();
ROLLBACK;
