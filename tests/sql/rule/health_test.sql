-- rule.health: one row for each check, a fault where something has to be mended.
BEGIN;
\ir ../raised.sql

SELECT results_eq('SELECT name FROM rule.health() ORDER BY name', $$VALUES ('fsync'),
                  ('full_page_writes'), ('release'), ('standby')$$,
                  'rule.health has a row for each check, whether it finds anything or not');
SELECT is_empty('SELECT name, fault FROM rule.health() WHERE fault IS NOT NULL',
                'and no fault in a database that is well');
SELECT is_empty('SELECT name FROM rule.health() WHERE name !~ ''^[a-z_]{1,31}$'' OR found IS NULL',
                'a name is that of a warning and a label, and what was found is said in any case');

SELECT finish();
ROLLBACK;
