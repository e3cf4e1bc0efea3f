BEGIN;
\ir ../setup.sql
\ir ../versions.sql

SELECT make_secret('old'), make_version('old'), given('secret_delete', 'old'), make_secret('new'),
       given('secret_delete', 'new');
UPDATE store.secret SET deletion_requested_at = clock_timestamp() - interval '7 days'
 WHERE id = secret('old')::uuid;
UPDATE store.secret SET deletion_requested_at = clock_timestamp() - interval '7 days'
    + interval '1 minute'
 WHERE id = secret('new')::uuid;

SET SESSION AUTHORIZATION coffer_api;
SELECT job.secret_purge() AS purged \gset
RESET SESSION AUTHORIZATION;
SELECT is(:purged, 1, 'job.secret_purge gives the number of secrets that it has removed');
SELECT is_empty($$SELECT FROM store.secret WHERE id = secret('old')::uuid UNION ALL SELECT
                FROM store.version
                   WHERE secret_id = secret('old')::uuid
                  UNION ALL SELECT FROM store.dek WHERE secret_id = secret('old')::uuid$$,
                'after 7 days, with their versions and keys');
SELECT is(audited(), 'job.secret_purge 200 by coffer_api on old in main', 'it is audited');
SELECT isnt((stored('new')).id, NULL, 'what has been scheduled for less stays');
SELECT is(job.secret_purge(), 0::bigint, 'then there is nothing to do');

SELECT operator.setting_set('purge_after', '0 seconds');
SELECT is(job.secret_purge(1), 1::bigint,
          'at most a batch is done at once, after the time that the operator has set');
SELECT is((stored('new')).id, NULL, 'the oldest first');
SELECT is(job.secret_purge(1), 1::bigint, 'the rest the next time');
SELECT is((SELECT count(*) FROM store.secret), 5::bigint,
          'what is not scheduled for deletion stays');

SELECT make_secret(name), make_versions(name, versions), given('secret_delete', name)
  FROM (VALUES ('one', 59), ('two', 1), ('three', 70), ('four', 1)) AS t(name, versions);
SELECT is(job.secret_purge(3), purged::bigint, title)
  FROM (VALUES (2, 'secrets are purged until they have had 20 times as many versions'),
        (1, 'each whole, however many it has'),
               (1, 'and the others the next time')) AS t(purged, title);

SELECT finish();
ROLLBACK;
