BEGIN;
\ir ../setup.sql
SELECT id AS old FROM store.kek WHERE project_id = project('main') AND active \gset
\set new 11111111-0000-0000-0000-000000000001
SELECT is_empty('SELECT * FROM daemon.dek_due(NULL, 100)', 'nothing is due while all is under the active key');
SELECT operator.kek_rotate(project('main')) \g /dev/null
SELECT daemon.kek_replace(ARRAY[:'old'::uuid], ARRAY[:'new'::uuid], 'root', ARRAY[decode(repeat('02', 60), 'hex')]) \g /dev/null

SELECT set_eq('SELECT secret_id, project_id, old_id, new_id, new_root_id FROM daemon.dek_due(NULL, 100)',
              format($$SELECT s.id, s.project_id, %L::uuid AS old_id, %L::uuid AS new_id, 'root' AS root_id
                        FROM store.secret s WHERE s.project_id = %L$$,
                     :'old', :'new', project('main')),
              'daemon.dek_due gives each secret that has versions under the old key');
SELECT is(count(*), 2::bigint, 'no more than asked for') FROM daemon.dek_due(NULL, 2);
SELECT is_empty($$SELECT * FROM daemon.dek_due((SELECT id FROM store.secret ORDER BY id DESC LIMIT 1), 100)$$, 'after the last one');

-- Keys of 64 bytes stand for access keys; the first is made to be the old one.
CREATE TEMP TABLE it AS
SELECT s.id, rule.aad('dek', s.project_id, s.id, 1, :'old') AS old_place, rule.aad('dek', s.project_id, s.id, 1, :'new') AS new_place,
       sha512('old') AS old_key, sha512('new') AS new_key, sha512('dek') AS dek
  FROM store.secret s WHERE s.id = secret('ready')::uuid;
UPDATE store.dek d SET wrapped = rule.seal(old_key, old_place, dek) FROM it WHERE d.secret_id = it.id;
CREATE FUNCTION test.rewrap(old uuid, new uuid, old_key bytea) RETURNS text LANGUAGE sql AS $$
    SELECT format('%s moved, %s broken', r.moved, r.broken)
      FROM it, daemon.dek_rewrap(ARRAY[it.id], ARRAY[old], ARRAY[new], ARRAY[rewrap.old_key], ARRAY[it.new_key]) AS r
$$;

SELECT is(rewrap(:'old', :'new', sha512('wrong')), '0 moved, 1 broken', 'what does not open is counted');
SELECT is(kek_id, :'old'::uuid, 'and stays where it is') FROM store.dek WHERE secret_id = secret('ready')::uuid;
SELECT is(rewrap(:'old', :'new', sha512('old')), '1 moved, 0 broken', 'daemon.dek_rewrap moves a version');
SELECT is(rewrap(:'old', :'new', sha512('old')), '0 moved, 0 broken', 'once');
SELECT is(rule.open(it.new_key, it.new_place, d.wrapped), it.dek, 'its key is the same, under the new one')
  FROM it JOIN store.dek d ON d.secret_id = it.id;
SELECT is(d.kek_id, :'new'::uuid, 'which it names') FROM it JOIN store.dek d ON d.secret_id = it.id;

SELECT finish();
ROLLBACK;
