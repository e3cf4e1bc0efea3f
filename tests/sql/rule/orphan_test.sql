-- rule.orphans: what foreign keys and counters should have kept in order.
BEGIN;
\ir ../setup.sql

SELECT is_empty('SELECT what FROM rule.orphans()',
                'rule.orphans finds nothing where foreign keys were looked after');

-- As a superuser may do it.
SELECT secret('ready') AS ready, project_id AS project FROM store.secret
 WHERE id = secret('ready')::uuid \gset
SET LOCAL session_replication_role = replica;
DELETE FROM store.secret WHERE id = :'ready';
DELETE FROM store.version WHERE secret_id = secret('protected')::uuid;
UPDATE store.api_key SET default_project_id = gen_random_uuid()
WHERE id = (SELECT id FROM store.api_key ORDER BY id LIMIT 1);
SET LOCAL session_replication_role = origin;
SELECT results_eq('SELECT what, number FROM rule.orphans()',
                  $$VALUES ('store.api_key without store.project', 1::bigint),
                      ('store.version without store.secret', 1),
                           ('store.dek without store.version', 1),
                               ('store.secret_count with other numbers than there are', 1)$$,
                  'it finds what should have gone with a row, be set to null, and be counted');

-- Mended in their order.
SELECT string_agg(regexp_replace(mend, '^BEGIN; |; COMMIT$', '', 'g'), ';') AS mend
  FROM rule.orphans() \gset
:mend;
SELECT is_empty('SELECT what FROM rule.orphans()', 'its statements mend all of it');
SELECT is_empty(format('SELECT FROM store.dek WHERE secret_id = %L', :'ready'),
                'with what hangs on it');

SELECT finish();
ROLLBACK;
