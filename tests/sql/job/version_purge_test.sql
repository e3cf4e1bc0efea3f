BEGIN;
\ir ../setup.sql
\ir ../versions.sql
-- Its versions would be purged too.
DELETE FROM store.secret WHERE id = secret('scheduled')::uuid;

SELECT make_version('ready') FROM generate_series(2, 4);
SELECT given('secret_version_delete', 'ready', revision) FROM unnest('{1,2,3}'::text[]) AS revision;
UPDATE store.version SET deletion_requested_at = clock_timestamp() - interval '7 days'
 WHERE secret_id = secret('ready')::uuid AND revision IN (1, 2);
UPDATE store.version SET deletion_requested_at = clock_timestamp() - interval '7 days'
    + interval '1 minute'
 WHERE secret_id = secret('ready')::uuid AND revision = 3;
SELECT backdate('ready');
SELECT max(id) AS before FROM audit.event \gset

SET SESSION AUTHORIZATION coffer_api;
SELECT job.version_purge() AS purged \gset
RESET SESSION AUTHORIZATION;
SELECT is(:purged, 2, 'job.version_purge gives the number of versions that it has removed');
SELECT results_eq($$SELECT v.revision, d.revision FROM store.version v FULL
                      JOIN store.dek d USING (secret_id, revision)
                      WHERE secret_id = secret('ready')::uuid
                     ORDER BY 1$$,
                  $$VALUES (3, 3), (4, 4)$$, 'after 7 days, with their keys');
SELECT is((stored('ready')).updated_at, long_ago(), 'which is no change of their secret');
SELECT set_eq(format('SELECT audited(id) FROM audit.event WHERE id > %s', :'before'),
              ARRAY['job.version_purge 200 by coffer_api on ready/1 in main',
                    'job.version_purge 200 by coffer_api on ready/2 in main'],
              'each has its row in the audit');
SELECT is(job.version_purge(), 0::bigint, 'then there is nothing to do');

SELECT operator.setting_set('purge_after', '0 seconds'),
       given('secret_version_delete', 'protected', '1');
SELECT is(job.version_purge(1), 1::bigint,
          'at most a batch of secrets is done at once, after the time that the operator has set');
SELECT is(job.version_purge(1), 1::bigint, 'the rest the next time');
SELECT is((call('secret_version_create', 'ready', data => 'x')).body ->> 'revision', '5',
          'the revisions that are gone are not used again');

SELECT make_secret(name), make_versions(name, 3) FROM unnest('{more,most}'::text[]) AS name;
UPDATE store.version SET status = 'scheduled_for_deletion', status_to_restore = 'enabled',
    deletion_requested_at = clock_timestamp()
 WHERE secret_id IN (secret('more')::uuid, secret('most')::uuid);
SELECT is(job.version_purge(4), purged::bigint, title)
  FROM (VALUES (4, 'no more versions than a batch are purged at once, of whichever secrets'),
        (2, 'the others the next time'),
               (0, 'until there is none')) AS t(purged, title);

SELECT finish();
ROLLBACK;
