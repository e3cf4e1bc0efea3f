BEGIN;
\ir ../setup.sql
SELECT id AS old FROM store.kek WHERE project_id = project('main') AND active \gset
\set new 11111111-0000-0000-0000-000000000001

CREATE FUNCTION test.replace(old uuid, new uuid, root text DEFAULT '0123456789abcdef') RETURNS bigint LANGUAGE sql AS $$
    SELECT daemon.kek_replace(ARRAY[old], ARRAY[new], root, ARRAY[decode(repeat('02', 60), 'hex')])
$$;

SELECT is_empty('SELECT * FROM daemon.kek_due(NULL, 10)', 'nothing is due while nobody has asked');
SELECT is(replace(:'old', :'new'), 0::bigint, 'and nothing is replaced');
SELECT operator.kek_rotate(project('main')) \g /dev/null
SELECT results_eq('SELECT * FROM daemon.kek_due(NULL, 10)', format('SELECT %L::uuid, project(%L), %L::text', :'old', 'main', '0123456789abcdef'),
                  'daemon.kek_due gives what an operator wants replaced, and the root key for that');
SELECT is_empty(format('SELECT * FROM daemon.kek_due(%L, 10)', :'old'), 'after the last one');
SELECT is(replace(:'old', :'new', root => 'retired'), 0::bigint, 'nothing is replaced by what is not under the active root key');
SELECT is(replace(:'old', :'new'), 1::bigint, 'daemon.kek_replace replaces it');
SELECT is(replace(:'old', gen_random_uuid()), 0::bigint, 'once');
SELECT set_eq(format('SELECT id, active, rotate_requested_at FROM store.kek WHERE project_id = %L', project('main')),
              format('VALUES (%L::uuid, false, NULL::timestamptz), (%L, true, NULL)', :'old', :'new'),
              'the new one is active, the old one stays');
SELECT is(brief(call('secret_version_access', 'ready', revision => '1')), '200', 'what was sealed before opens');
SELECT is_empty('SELECT * FROM daemon.kek_due(NULL, 10)', 'and nothing is due any more');

SELECT finish();
ROLLBACK;
