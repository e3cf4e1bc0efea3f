BEGIN;
\ir ../setup.sql
\ir ../keys.sql

SELECT make_key(name), make_secret('under-' || name, jsonb_build_object('key_id', secret(name))),
       make_version('under-' || name),
       given_key('key_rotate', name), make_version('under-' || name), given_key('key_delete', name)
  FROM unnest('{old,new}'::text[]) AS name;
UPDATE store.managed_key SET deletion_requested_at = clock_timestamp() - interval '7 days'
WHERE name = 'old';
UPDATE store.managed_key SET deletion_requested_at = clock_timestamp() - interval '7 days'
    + interval '1 minute'
 WHERE name = 'new';
SELECT count(*) AS keks FROM store.kek \gset

SET SESSION AUTHORIZATION coffer_api;
SELECT job.key_purge() AS purged \gset
RESET SESSION AUTHORIZATION;
SELECT is(:purged, 1, 'job.key_purge gives the number of keys that it has destroyed');
SELECT is_empty($$SELECT FROM store.managed_key WHERE id = secret('old')::uuid
                  UNION ALL SELECT FROM store.kek WHERE key_id = secret('old')::uuid
                  UNION ALL SELECT FROM store.dek WHERE secret_id = secret('under-old')::uuid$$,
                'after 7 days, with their rotations and the keys of the versions under them');
SELECT is(count(*), :keks - 2::bigint, 'and no other') FROM store.kek;
SELECT is(audited(), 'job.key_purge 200 by coffer_api on old in main', 'it is audited');
SELECT is(request, '{"versions": 2}', 'with the number of versions that nobody can read any more')
  FROM audit.event ORDER BY id DESC LIMIT 1;
SELECT is(brief(call_key('key_get', 'old')), '404 not_found key', 'the key is not there any more');
SELECT isnt((stored_key('new')).id, NULL, 'what has been scheduled for less stays');
SELECT is((call_key('key_restore', 'new')).status, 200, 'and can be restored');
SELECT is((call('secret_version_access', 'under-new', revision)).status, 200,
          'with all that is under it')
  FROM unnest('{1,2}'::text[]) AS revision;
SELECT given_key('key_delete', 'new');
SELECT is(job.key_purge(), 0::bigint, 'then there is nothing to do');

SELECT operator.setting_set('purge_after', '0 seconds');
SELECT is(job.key_purge(1), 1::bigint,
          'at most a batch is done at once, after the time that the operator has set');
SELECT is((stored_key('doomed')).id, NULL, 'the oldest first');
-- with secret "scheduled"
SELECT is((SELECT sum(job.run(name)) FROM job.list() AS name), 2::numeric, 'job.run does the rest');
SELECT is((stored_key('new')).id, NULL, 'that key too');
SELECT is((SELECT count(*) FROM store.managed_key), 4::bigint,
          'what is not scheduled for deletion stays');

-- Many versions: a key with 60, one with one, and one more.
SELECT make_key(name), make_secret('under-' || name, jsonb_build_object('key_id', secret(name))),
       make_version('under-' || name)
  FROM unnest('{first,second,third}'::text[]) AS name;
INSERT INTO store.version (secret_id, revision, status, description, created_at, updated_at, sealed)
SELECT secret('under-first')::uuid, revision, 'enabled', '', now(), now(), '\x01'
  FROM generate_series(2, 59) AS revision;
INSERT INTO store.dek SELECT d.secret_id, more.revision, d.kek_id, d.wrapped FROM store.dek d,
    generate_series(2, 59) AS more(revision)
 WHERE d.secret_id = secret('under-first')::uuid;
SELECT given_key('key_delete', name) FROM unnest('{first,second,third}'::text[]) AS name;
SELECT is(job.key_purge(3), purged::bigint, title)
  FROM (VALUES (2, 'keys are purged until they have had 20 times as many versions'),
        (1, 'the others the next time')) AS t(purged, title);

SELECT finish();
ROLLBACK;
