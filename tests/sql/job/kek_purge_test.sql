BEGIN;
\ir ../setup.sql
SELECT id AS old FROM store.kek WHERE project_id = project('main') AND active \gset
SELECT is(job.kek_purge(), 0::bigint, 'job.kek_purge leaves active keys alone');
UPDATE store.kek SET active = false WHERE id = :'old';
SELECT is(job.kek_purge(), 0::bigint, 'and those that something is under');
DELETE FROM store.secret WHERE project_id = project('main');
SELECT is(job.kek_purge(), 1::bigint, 'it destroys an old key that nothing is under');
SELECT is_empty(format('SELECT FROM store.kek WHERE id = %L', :'old'), 'for ever');
SELECT is(audited(), format('job.kek_purge 200 by %s in main', session_user), 'it is audited');
SELECT is(job.kek_purge(), 0::bigint, 'once');

SELECT finish();
ROLLBACK;
