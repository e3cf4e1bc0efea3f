BEGIN;
\ir ../setup.sql

SELECT given('secret_version_delete', 'protected', '1'), expire('ready', 1, 'disable'),
       operator.setting_set('purge_after', '0 seconds');
INSERT INTO store.instance (id, build, root_ids, seen_at)
    VALUES (gen_random_uuid(), 'gone', '{}', now() - interval '1 week');
SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + interval '6 months',
               '"audit.event_"YYYY_MM') AS missing \gset
DROP TABLE :missing;
SET SESSION AUTHORIZATION coffer_api;
SELECT sum(job.run(name)) AS done FROM job.list() AS name \gset
RESET SESSION AUTHORIZATION;
SELECT is(:done, 5, 'job.run gives the number of things done');
SELECT results_eq($$SELECT (stored('ready', 1)).status, (stored('scheduled')).id,
                           (stored('protected', 1)).revision$$,
                  $$VALUES ('disabled', NULL::uuid, NULL::integer)$$,
                  'versions have expired, secrets and versions are purged');
SELECT is_empty('SELECT FROM store.instance', 'daemons that are gone are forgotten');
SELECT isnt(to_regclass(:'missing'), NULL, 'and the audit has its partitions');
SELECT is(job.run(name), 0::bigint, 'then there is nothing to do for ' || name)
  FROM job.list() AS name;

SELECT expire('ready', 1, 'delete'), expire('locked', 1, 'delete'), expire('managed', 1, 'delete');
SELECT is(job.run('version_expire', 2), 2::bigint, 'at most a batch is done at once');
SELECT throws_ok($$SELECT job.run('unheard_of')$$, 'SM900', 'there is no such job',
                 'what is no job is refused (SM900)');
SELECT is(job.run(2), 1::bigint, 'all jobs at once, as the first release asks for them');
SELECT is(job.run(2), 0::bigint, 'are done then');
SET LOCAL session_replication_role = replica;
SELECT throws_ok($$SELECT job.run('secret_purge')$$, 'SM900',
                 'session_replication_role is replica, and no foreign key is looked after',
                 'no job runs in a session in which foreign keys do not cascade (SM900)');
SET LOCAL session_replication_role = origin;

SELECT finish();
ROLLBACK;
