BEGIN;
\ir ../setup.sql

-- Secrets -------------------------------------------------------------------------------

SELECT make_secret('old'), make_version('old'), given('secret_delete', 'old'), make_secret('new'),
       given('secret_delete', 'new');
UPDATE store.secret SET deletion_requested_at = clock_timestamp() - interval '7 days'
 WHERE id = secret('old')::uuid;
UPDATE store.secret SET deletion_requested_at = clock_timestamp() - interval '7 days' + interval '1 minute'
 WHERE id = secret('new')::uuid;

SET SESSION AUTHORIZATION coffer_api;
SELECT job.secret_purge() AS purged \gset
RESET SESSION AUTHORIZATION;
SELECT is(:purged, 1, 'job.secret_purge gives the number of secrets that it has removed');
SELECT is_empty($$SELECT FROM store.secret WHERE id = secret('old')::uuid UNION ALL SELECT FROM store.version
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
SELECT is((SELECT count(*) FROM store.secret), 5::bigint, 'what is not scheduled for deletion stays');
SELECT operator.setting_set('purge_after', '7 days');

-- Versions ------------------------------------------------------------------------------

SELECT make_version('ready') FROM generate_series(2, 4);
SELECT given('secret_version_delete', 'ready', revision) FROM unnest('{1,2,3}'::text[]) AS revision;
UPDATE store.version SET deletion_requested_at = clock_timestamp() - interval '7 days'
 WHERE secret_id = secret('ready')::uuid AND revision IN (1, 2);
UPDATE store.version SET deletion_requested_at = clock_timestamp() - interval '7 days' + interval '1 minute'
 WHERE secret_id = secret('ready')::uuid AND revision = 3;
SELECT backdate('ready');
SELECT max(id) AS before FROM audit.event \gset

SET SESSION AUTHORIZATION coffer_api;
SELECT job.version_purge() AS purged \gset
RESET SESSION AUTHORIZATION;
SELECT is(:purged, 2, 'job.version_purge gives the number of versions that it has removed');
SELECT results_eq($$SELECT v.revision, d.revision FROM store.version v FULL
                      JOIN store.dek d USING (secret_id, revision) WHERE secret_id = secret('ready')::uuid
                     ORDER BY 1$$,
                  $$VALUES (3, 3), (4, 4)$$, 'after 7 days, with their keys');
SELECT is((stored('ready')).updated_at, long_ago(), 'which is no change of their secret');
SELECT set_eq(format('SELECT audited(id) FROM audit.event WHERE id > %s', :'before'),
              ARRAY['job.version_purge 200 by coffer_api on ready/1 in main',
                    'job.version_purge 200 by coffer_api on ready/2 in main'],
              'each has its row in the audit');
SELECT is(job.version_purge(), 0::bigint, 'then there is nothing to do');

SELECT operator.setting_set('purge_after', '0 seconds'), given('secret_version_delete', 'protected', '1');
SELECT is(job.version_purge(1), 1::bigint,
          'at most a batch of secrets is done at once, after the time that the operator has set');
SELECT is(job.version_purge(1), 1::bigint, 'the rest the next time');
SELECT is((call('secret_version_create', 'ready', data => 'x')).body ->> 'revision', '5',
          'the revisions that are gone are not used again');

-- Many versions -------------------------------------------------------------------------

CREATE FUNCTION test.make_versions(secret text, versions integer) RETURNS void LANGUAGE sql AS $$
    INSERT INTO store.version (secret_id, revision, status, description, created_at, updated_at, sealed)
    SELECT test.secret(secret)::uuid, revision, 'enabled', '', now(), now(), '\x01' FROM generate_series(1, versions) AS revision
$$;
SELECT make_secret(name), make_versions(name, 3) FROM unnest('{more,most}'::text[]) AS name;
UPDATE store.version SET status = 'scheduled_for_deletion', status_to_restore = 'enabled', deletion_requested_at = clock_timestamp()
 WHERE secret_id IN (secret('more')::uuid, secret('most')::uuid);
SELECT is(job.version_purge(4), purged::bigint, title)
  FROM (VALUES (4, 'no more versions than a batch are purged at once, of whichever secrets'), (2, 'the others the next time'),
               (0, 'until there is none')) AS t(purged, title);

SELECT make_secret(name), make_versions(name, versions), given('secret_delete', name)
  FROM (VALUES ('one', 59), ('two', 1), ('three', 70), ('four', 1)) AS t(name, versions);
SELECT is(job.secret_purge(3), purged::bigint, title)
  FROM (VALUES (2, 'secrets are purged until they have had 20 times as many versions'), (1, 'each whole, however many it has'),
               (1, 'and the others the next time')) AS t(purged, title);

SELECT finish();
ROLLBACK;
