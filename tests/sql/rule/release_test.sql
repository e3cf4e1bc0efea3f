-- rule.release: which daemons the database serves, and what it says of others.
BEGIN;
\ir ../raised.sql
\ir ../session.sql

SELECT is(rule.release_faults('0.0.9'),
          ARRAY[format('this daemon is of release 0.0.9, and the database of release %1$s serves '
                       'daemons of 0.1.0 and later: install the daemon of release %1$s',
                       rule.release())],
          'a daemon that is too old is refused, with both releases');
SELECT is(rule.release_faults(build), '{}', format('%L is served', build))
  FROM unnest(ARRAY['0.1.0', '0.10.0', rule.release(), '99.0.0', 'not a release', '', NULL])
       AS build;
SELECT ok('"' || h.faults[1] || '"' LIKE '%is of release 0.0.9, %', 'daemon.hello says so')
  FROM daemon.hello(gen_random_uuid(), '0.0.9', '{}') AS h;

DELETE FROM store.instance;
SELECT results_eq('SELECT * FROM rule.release_mixed()',
                  $$SELECT 'release ' || rule.release(), NULL::text$$,
                  'without other daemons nothing is wrong');
INSERT INTO store.instance (id, build, root_ids, seen_at)
SELECT gen_random_uuid(), build, '{}', clock_timestamp() - ago
  FROM (VALUES (rule.release(), interval '0'), ('test', interval '0'),
               ('0.0.1', interval '4 minutes')) AS daemons(build, ago);
SELECT is((SELECT m.fault FROM rule.release_mixed() AS m), NULL,
          'nor with daemons of this release, or with those that are gone');
INSERT INTO store.instance (id, build, root_ids) VALUES (gen_random_uuid(), '0.1.0', '{}');
SELECT is((SELECT h.fault FROM rule.health() AS h WHERE h.name = 'release'),
          format('the database is of release %1$s, and in the last three minutes daemons of 0.1.0 '
                 'have connected: replace these by the daemon of %1$s', rule.release()),
          'an older daemon is a warning');
INSERT INTO store.instance (id, build, root_ids) VALUES (gen_random_uuid(), '99.0.0', '{}');
SELECT alike((SELECT h.fault FROM rule.health() AS h WHERE h.name = 'release'),
             '%daemons of 0.1.0, 99.0.0 have connected: run migrations/migrate of the latest%',
             'and a newer one asks for a deploy');

SELECT finish();
ROLLBACK;
