-- Every method of the audit has its name in the Audit Trail API.
BEGIN;
\ir ../setup.sql

SELECT is_empty($$SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'endpoint'::regnamespace
                     AND NOT EXISTS (SELECT FROM rule.method m WHERE m.method = p.proname)$$,
                'rule.method has each endpoint');
SELECT is_empty($$SELECT m.method FROM rule.method m WHERE NOT EXISTS (
                      SELECT FROM pg_proc p
                       WHERE p.proname = m.method AND p.pronamespace = 'endpoint'::regnamespace
                      UNION ALL
                      SELECT FROM pg_proc p
                       WHERE m.method LIKE p.pronamespace::regnamespace || '.%')$$,
                'and nothing that there is not');
SELECT is((SELECT count(*) FROM rule.method),
          (SELECT count(DISTINCT (m.method, m.name)) FROM rule.method m), 'once');

SELECT finish();
ROLLBACK;
