BEGIN;
\ir ../setup.sql
\ir ../keys.sql
SELECT id AS old FROM store.kek WHERE project_id = project('main') AND key_id IS NULL
    AND active \gset
SELECT is(job.kek_purge(), 0::bigint, 'job.kek_purge leaves active keys alone');
UPDATE store.kek SET active = false WHERE id = :'old';
SELECT is(job.kek_purge(), 0::bigint, 'and those that something is under');
DELETE FROM store.secret WHERE project_id = project('main');
SELECT is(job.kek_purge(), 1::bigint, 'it destroys an old key that nothing is under');
SELECT is_empty(format('SELECT FROM store.kek WHERE id = %L', :'old'), 'for ever');
SELECT is(audited(), format('job.kek_purge 200 by %s in main', session_user), 'it is audited');
SELECT is(request, jsonb_build_object('kek_id', :'old'), 'with which key that was') FROM audit.event
 ORDER BY id DESC LIMIT 1;
SELECT is(job.kek_purge(), 0::bigint, 'once');
SELECT given_key('key_rotate', 'live'), job.kek_purge() AS purged \gset
SELECT is(:purged, 0, 'an old rotation of a managed key stays, though no version is under it');
SELECT is(count(*), 2::bigint, 'for what callers have under it') FROM store.kek
 WHERE key_id = secret('live')::uuid;

SELECT finish();
ROLLBACK;
