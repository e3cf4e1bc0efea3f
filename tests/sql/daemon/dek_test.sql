BEGIN;
\ir ../setup.sql
\ir ../keys.sql
SELECT id AS old FROM store.kek WHERE project_id = project('main') AND key_id IS NULL
    AND active \gset
\set new 11111111-0000-0000-0000-000000000001
SELECT is_empty('SELECT * FROM daemon.dek_due(NULL, 100)',
                'nothing is due while all is under the active key');
SELECT operator.kek_rotate(project('main')) \g /dev/null
SELECT daemon.kek_replace(ARRAY[:'old'::uuid], ARRAY[:'new'::uuid], '0123456789abcdef',
                          ARRAY[decode(repeat('02', 60), 'hex')]) \g /dev/null

SELECT set_eq('SELECT secret_id, project_id, old_id, new_id, new_root_id FROM daemon.dek_due(NULL, '
              '100)',
              format($$SELECT s.id, s.project_id, %L::uuid AS old_id, %L::uuid AS new_id,
                     '0123456789abcdef' AS root_id
                        FROM store.secret s WHERE s.project_id = %L$$,
                     :'old', :'new', project('main')),
              'daemon.dek_due gives each secret that has versions under the old key');
SELECT is(count(*), 2::bigint, 'no more than asked for') FROM daemon.dek_due(NULL, 2);
SELECT is_empty($$SELECT * FROM daemon.dek_due((SELECT id FROM store.secret ORDER BY id DESC
                                                LIMIT 1), 100)$$, 'after the last one');

-- Keys of 64 bytes stand for access keys; the first is made to be the old one.
CREATE TEMP TABLE it AS
SELECT s.id, rule.crypto_aad('dek', s.project_id, s.id, 1, :'old') AS old_place,
       rule.crypto_aad('dek', s.project_id, s.id, 1, :'new') AS new_place,
       sha512('old') AS old_key, sha512('new') AS new_key, sha512('dek') AS dek
  FROM store.secret s WHERE s.id = secret('ready')::uuid;
UPDATE store.dek d SET wrapped = rule.crypto_encrypt(old_key, old_place, dek) FROM it
WHERE d.secret_id = it.id;
CREATE FUNCTION test.rewrap(old uuid, new uuid, old_key bytea) RETURNS text LANGUAGE sql AS $$
    SELECT format('%s moved, %s broken', r.moved, r.broken)
      FROM it, daemon.dek_rewrap(ARRAY[it.id], ARRAY[old], ARRAY[new], ARRAY[rewrap.old_key],
                                 ARRAY[it.new_key]) AS r
$$;

SELECT is(rewrap(:'old', :'new', sha512('wrong')), '0 moved, 1 broken',
          'what does not open is counted');
SELECT is(kek_id, :'old'::uuid, 'and stays where it is') FROM store.dek
 WHERE secret_id = secret('ready')::uuid;
SELECT is(rewrap(:'old', :'new', sha512('old')), '1 moved, 0 broken',
          'daemon.dek_rewrap moves a version');
SELECT is(rewrap(:'old', :'new', sha512('old')), '0 moved, 0 broken', 'once');
SELECT is(rule.crypto_decrypt(it.new_key, it.new_place, d.wrapped), it.dek,
          'its key is the same, under the new one')
  FROM it JOIN store.dek d ON d.secret_id = it.id;
SELECT is(d.kek_id, :'new'::uuid, 'which it names') FROM it JOIN store.dek d ON d.secret_id = it.id;

-- A managed key: what is under an older rotation moves to the newest of that key, and to nothing
-- else.
SELECT make_secret('s', jsonb_build_object('key_id', secret('live'))), make_version('s'),
       make_secret('t', jsonb_build_object('key_id', secret('guarded'))),
       make_version('t'), given_key('key_rotate', 'live'), given_key('key_rotate', 'live'),
           make_version('s');
SELECT max(id::text) FILTER (WHERE rotation = 1) AS first,
       max(id::text) FILTER (WHERE rotation = 3) AS third
  FROM store.kek WHERE key_id = secret('live')::uuid \gset
SELECT set_eq($$SELECT secret_id, old_id, new_id FROM daemon.dek_due(NULL, 100) AS d
                  WHERE EXISTS (SELECT FROM store.kek k WHERE k.id = d.old_id
                                AND k.key_id IS NOT NULL)$$,
              format('VALUES (%L::uuid, %L::uuid, %L::uuid)', secret('s'), :'first', :'third'),
              'daemon.dek_due gives what is under an older rotation of a managed key, and its '
              'newest');
SELECT results_eq(format('SELECT moved, broken FROM daemon.dek_rewrap(ARRAY[%L::uuid], '
                         'ARRAY[%L::uuid], ARRAY[%L::uuid], ARRAY[%L::bytea], ARRAY[%L::bytea])',
                         secret('s'), :'first', :'third', access_key(secret('s'), :'first'),
                             access_key(secret('s'), :'third')),
                  'VALUES (1::bigint, 0::bigint)', 'daemon.dek_rewrap moves it');
SELECT results_eq($$SELECT k.rotation FROM store.dek d JOIN store.kek k ON k.id = d.kek_id
                  WHERE d.secret_id = secret('s')::uuid ORDER BY d.revision$$,
                  'VALUES (3), (3)', 'to the newest rotation');
SELECT is((call('secret_version_access', 's', revision)).body ->> 'data', encode('value', 'base64'),
          'where it is read')
  FROM unnest('{1,2}'::text[]) AS revision;
SELECT is((SELECT count(*) FROM operator.key_rotation WHERE key_id IS NOT NULL), 0::bigint,
          'and then nothing is moving');

-- Many versions: as many at a time as a transaction should have. The first does not open, and
-- stays.
SELECT make_secret('many');
INSERT INTO store.version (secret_id, revision, status, description, created_at, updated_at, sealed)
SELECT secret('many')::uuid, revision, 'enabled', '', now(), now(), '\x01'
  FROM generate_series(1, 2100) AS revision;
INSERT INTO store.dek (secret_id, revision, kek_id, wrapped)
SELECT secret('many')::uuid, v.revision, :'old',
       CASE v.revision WHEN 1 THEN '\x01'
           ELSE rule.crypto_encrypt(sha512('old'),
                                    rule.crypto_aad('dek', project('main'), secret('many')::uuid,
                                                    v.revision, :'old'), 'dek') END
  FROM store.version v WHERE v.secret_id = secret('many')::uuid;
SELECT results_eq(format('SELECT * FROM daemon.dek_rewrap(ARRAY[%1$L]::uuid[], '
                         'ARRAY[%2$L]::uuid[], ARRAY[%3$L]::uuid[], ARRAY[sha512(%4$L)], '
                         'ARRAY[sha512(%5$L)])',
                         secret('many'), :'old', :'new', 'old', 'new'),
                  format('VALUES (%s::bigint, 1::bigint, %L::boolean)', moved, more), title)
  FROM (VALUES (1999, true, 'of many versions some are moved, and there are more'),
        (100, false, 'then the others'),
               (0, false, 'and nothing more')) AS t(moved, more, title);

SELECT finish();
ROLLBACK;
