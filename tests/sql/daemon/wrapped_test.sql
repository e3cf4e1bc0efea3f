BEGIN;
\ir ../setup.sql
\ir ../keys.sql
SELECT given_key('key_rotate', 'live');
DELETE FROM store.pepper;
DELETE FROM store.root_key;
SELECT daemon.pepper_keep('old', decode(repeat('01', 60), 'hex')) \g /dev/null
SELECT lpad(signer, 32, '0')::uuid AS signer
  FROM daemon.signer_keep(sha256('public'), 'old', decode(repeat('01', 60), 'hex')) \gset

CREATE FUNCTION test.due(after uuid DEFAULT NULL, batch integer DEFAULT 100) RETURNS TABLE (id uuid,
    root_id text, active text)
LANGUAGE sql AS $$ SELECT w.id, w.root_id, w.active_root_id
    FROM daemon.wrapped_due(after, batch) AS w $$;
CREATE FUNCTION test.keep(ids uuid[], old text, new text) RETURNS bigint LANGUAGE sql AS $$
    SELECT daemon.wrapped_keep(ids, array_fill(old, ARRAY[cardinality(ids)]), new,
                               array_fill(decode(repeat('02', 60), 'hex'), ARRAY[cardinality(ids)]))
$$;
UPDATE store.kek SET root_id = 'old';
SELECT array_agg(id ORDER BY id) AS keks, count(*) AS count FROM store.kek \gset
\set zero 00000000-0000-0000-0000-000000000000

SELECT is_empty('SELECT * FROM due()', 'nothing is due while all is under the active root key');
UPDATE store.root_key SET active = false;
INSERT INTO store.root_key (id, active, activated_at) VALUES ('new', true, now());
SELECT set_eq('SELECT * FROM due()',
              format($$SELECT id, 'old' AS root_id, 'new' AS active
                     FROM unnest(%L::uuid[] || %L::uuid || %L::uuid) AS id$$,
                     :'keks', :'signer', :'zero'),
              'daemon.wrapped_due gives the pepper, the key for seals and all keys under another');
SELECT is(count(*), 3::bigint, 'of the keys of projects no more than asked for')
  FROM due(batch => 1);
SELECT is_empty(format('SELECT * FROM due(%L)', (:'keks'::uuid[])[:count]),
                'and none but those after the last one');
SELECT is(keep((:'keks'::uuid[])[1:1], 'other', 'new'), 0::bigint,
          'daemon.wrapped_keep keeps nothing of what another daemon has brought already');
SELECT is(keep((:'keks'::uuid[])[1:1], 'old', 'other'), 0::bigint,
          'or of what is under a key that is not active');
SELECT is(keep(:'keks'::uuid[] || :'signer'::uuid || :'zero'::uuid, 'old', 'new'),
          :count + 2::bigint, 'but all else');
SELECT is_empty('SELECT * FROM due()', 'after which nothing is due');
SELECT is((root_id, wrapped), ('new'::text, decode(repeat('02', 60), 'hex')),
          'the pepper has moved') FROM store.pepper;
SELECT is((root_id, wrapped), ('new'::text, decode(repeat('02', 60), 'hex')),
          'and the key for seals') FROM store.signer;
SELECT results_eq($$SELECT rotation, active, root_id, wrapped FROM store.kek
                  WHERE key_id = secret('live')::uuid ORDER BY 1$$,
                  $$VALUES (1, false, 'new', decode(repeat('02', 60), 'hex')),
                      (2, true, 'new', decode(repeat('02', 60), 'hex'))$$,
                  'and each rotation of a managed key');

SELECT finish();
ROLLBACK;
