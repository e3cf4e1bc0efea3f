-- What the database was made with. tests/system/database/test_preflight.py has one of another
-- encoding.
BEGIN;
\ir ../raised.sql

SELECT is(rule.database_faults(), '{}',
          'rule.database_faults finds nothing in a database that is encoded in UTF8');

SELECT finish();
ROLLBACK;
