-- operator.orphans
BEGIN;
\ir ../setup.sql

SET SESSION AUTHORIZATION coffer_operator;
SELECT is_empty('SELECT * FROM operator.orphans()',
                'operator.orphans finds nothing where foreign keys were looked after');
RESET SESSION AUTHORIZATION;
SET LOCAL session_replication_role = replica;
DELETE FROM store.version WHERE secret_id = secret('ready')::uuid;
SET LOCAL session_replication_role = origin;
SET SESSION AUTHORIZATION coffer_operator;
SELECT results_eq('SELECT what, number FROM operator.orphans()',
                  $$VALUES ('store.dek without store.version', 1::bigint)$$,
                  'or what is left behind');
RESET SESSION AUTHORIZATION;

SELECT finish();
ROLLBACK;
