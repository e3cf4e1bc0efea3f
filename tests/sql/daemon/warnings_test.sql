-- daemon.warnings: what rule.health finds wrong, by name.
BEGIN;
\ir ../raised.sql

SET LOCAL ROLE coffer_api;
SELECT is(daemon.warnings(), '{}',
          'daemon.warnings gives an empty object in a database that is well');
RESET ROLE;

-- Another check is one more row.
CREATE OR REPLACE FUNCTION rule.health() RETURNS TABLE (name text, found text,
                                                        fault text) LANGUAGE sql STABLE
AS $$VALUES ('good', 'all', NULL), ('bad', 'some', 'it is broken: mend it')$$;
SET LOCAL ROLE coffer_api;
SELECT is(daemon.warnings(), '{"bad": "it is broken: mend it"}',
          'and else each fault under the name of its check');
RESET ROLE;

SELECT finish();
ROLLBACK;
