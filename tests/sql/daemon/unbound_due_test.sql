BEGIN;
\ir ../setup.sql
\ir ../keys.sql
UPDATE store.root_key SET active = false;
INSERT INTO store.root_key (id, active, activated_at) VALUES ('new', true, now());
SELECT array_agg(id ORDER BY id) AS keks, count(*) AS count FROM store.kek \gset
\set zero 00000000-0000-0000-0000-000000000000

-- All that may be of the old form, for a daemon to look at.
DELETE FROM store.instance;
INSERT INTO store.instance (id, build, root_ids) VALUES (:'zero', 'new', '{}'),
    (gen_random_uuid(), 'old', '{}');
SELECT is_empty(format('SELECT * FROM daemon.unbound_due(NULL, 100, %L)', :'zero'),
                'daemon.unbound_due gives nothing while a daemon runs that does not open what is '
                'bound');
SELECT is(binds, id = :'zero', 'and takes down who does') FROM store.instance;
UPDATE store.instance SET seen_at = seen_at - interval '1 hour' WHERE NOT binds;
SELECT set_eq(format('SELECT id, key_id, rotation, active_root_id FROM daemon.unbound_due(NULL, '
                     '100, %L)', :'zero'),
              format($$SELECT id, key_id, rotation, 'new' FROM store.kek UNION ALL SELECT %L, NULL,
                     NULL, 'new'$$, :'zero'),
              'then the pepper and all keys');
SELECT is(count(*), 2::bigint, 'of keys no more than asked for')
  FROM daemon.unbound_due(NULL, 1, :'zero');
SELECT is_empty(format('SELECT * FROM daemon.unbound_due(%L, 100, %L)', (:'keks'::uuid[])[:count],
                       :'zero'),
                'and none but those after the last one');

SELECT finish();
ROLLBACK;
