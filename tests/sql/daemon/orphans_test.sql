-- daemon.orphans: what coffer doctor says of rows that are left behind.
BEGIN;
\ir ../setup.sql

SET SESSION AUTHORIZATION coffer_api;
SELECT results_eq('SELECT * FROM daemon.orphans()',
                  $$VALUES ('orphans', 'no rows are left behind', NULL::text)$$,
                  'daemon.orphans says that nothing is left behind');
RESET SESSION AUTHORIZATION;
SET LOCAL session_replication_role = replica;
DELETE FROM store.version WHERE secret_id = secret('ready')::uuid;
SET LOCAL session_replication_role = origin;
SET SESSION AUTHORIZATION coffer_api;
SELECT alike(fault,
             '1 rows of store.dek without store.version: as coffer_owner, DELETE FROM store.dek c '
             'WHERE %', 'or what is, with its remedy')
  FROM daemon.orphans();
RESET SESSION AUTHORIZATION;

SELECT finish();
ROLLBACK;
