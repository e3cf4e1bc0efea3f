BEGIN;
\ir ../setup.sql

SELECT given('secret_version_delete', 'protected', '1'), expire('ready', 1, 'disable'),
       operator.setting_set('purge_after', '0 seconds');
INSERT INTO store.instance (id, build, root_ids, seen_at) VALUES (gen_random_uuid(), 'gone', '{}', now() - interval '1 week');
SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + interval '6 months', '"audit.event_"YYYY_MM') AS missing \gset
DROP TABLE :missing;
SET SESSION AUTHORIZATION coffer_api;
SELECT job.run() AS done \gset
RESET SESSION AUTHORIZATION;
SELECT is(:done, 5, 'job.run gives the number of things done');
SELECT results_eq($$SELECT (stored('ready', 1)).status, (stored('scheduled')).id,
                           (stored('protected', 1)).revision$$,
                  $$VALUES ('disabled', NULL::uuid, NULL::integer)$$,
                  'versions have expired, secrets and versions are purged');
SELECT is_empty('SELECT FROM store.instance', 'daemons that are gone are forgotten');
SELECT isnt(to_regclass(:'missing'), NULL, 'and the audit has its partitions');
SELECT is(job.run(), 0::bigint, 'then there is nothing to do');

SELECT expire('ready', 1, 'delete'), expire('locked', 1, 'delete'), expire('managed', 1, 'delete');
SELECT is(job.run(2), 2::bigint, 'at most a batch of each kind is done at once');

SELECT finish();
ROLLBACK;
