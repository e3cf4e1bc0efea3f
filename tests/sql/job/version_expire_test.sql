BEGIN;
\ir ../setup.sql

SELECT make_version('ready') FROM generate_series(2, 5);
SELECT given('secret_version_delete', 'ready', '3'), given('secret_version_disable', 'ready', '4'),
       backdate('ready'),
       expire('ready', 1, 'disable'), expire('ready', 2, 'delete'), expire('ready', 3, 'delete'),
       expire('ready', 4, 'disable'),
       expire('locked', 1, 'delete');
UPDATE store.version SET expires_at = clock_timestamp() + interval '1 hour', action = 'delete',
       expires_once_accessed = false
 WHERE secret_id = secret('ready')::uuid AND revision = 5;
SELECT max(id) AS before FROM audit.event \gset

SET SESSION AUTHORIZATION coffer_api;
SELECT job.version_expire() AS expired \gset
RESET SESSION AUTHORIZATION;
SELECT is(:expired, 4, 'job.version_expire gives the number of versions that have expired');
SELECT results_eq($$SELECT revision, status,
                           updated_at = CASE WHEN revision = 1 THEN expires_at ELSE long_ago() END
                      FROM store.version
                     WHERE secret_id = secret('ready')::uuid ORDER BY revision$$,
                  $$VALUES (1, 'disabled', true), (4, 'disabled', true), (5, 'enabled', true)$$,
                  'it disables or removes them, as of their expiry');
SELECT is_empty($$SELECT revision FROM store.dek WHERE secret_id = secret('ready')::uuid
                     AND revision IN (2, 3)$$, 'with their keys');
SELECT is((stored('ready')).updated_at, long_ago(), 'and does not change their secret');
SELECT is((stored('locked', 1)).revision, NULL, 'time does not stop for a locked secret');
SELECT set_eq(format('SELECT audited(id) FROM audit.event WHERE id > %s', :'before'),
              ARRAY['job.version_expire 200 by coffer_api on ready/1 in main',
                    'job.version_expire 200 by coffer_api on ready/2 in main',
                    'job.version_expire 200 by coffer_api on ready/3 in main',
                    'job.version_expire 200 by coffer_api on locked/1 in main'],
              'each has its row in the audit');
SELECT is(job.version_expire(), 0::bigint, 'then there is nothing to do');

SELECT expire('ready', 5, 'disable'), expire('protected', 1, 'disable'),
       expire('managed', 1, 'disable');
SELECT is(job.version_expire(2), 2::bigint, 'at most a batch is done at once');
SELECT is(job.version_expire(2), 1::bigint, 'the rest the next time');

-- Of both secrets one is among the first two, and one more is due.
SELECT make_secret(name), make_version(name), make_version(name)
  FROM unnest('{one,other}'::text[]) AS name;
SELECT expire(name, revision, 'disable') FROM generate_series(1, 2) AS revision,
       unnest('{one,other}'::text[]) AS name;
SELECT is(job.version_expire(3), 3::bigint, 'of no secret more than is left of the batch');
SELECT is(job.version_expire(3), 1::bigint, 'the rest of it the next time');

SELECT finish();
ROLLBACK;
