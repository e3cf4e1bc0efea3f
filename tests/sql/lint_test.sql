-- That lint.sql, with which a deploy ends, finds what it is there to find.
BEGIN;
SET client_min_messages = warning;
SET search_path = tap, pg_catalog;
\set lint `cat ../../sql/lint.sql`
SELECT no_plan();

SELECT lives_ok(:'lint', 'lint.sql finds nothing in what is deployed');

-- What lint.sql says once a statement has been carried out, which is then taken back.
CREATE FUNCTION pg_temp.said_after(statement text, lint text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL check_function_bodies = off;
    EXECUTE statement;
    EXECUTE lint;
    RAISE EXCEPTION 'nothing';
EXCEPTION
    WHEN OTHERS THEN
        RETURN SQLERRM;
END
$$;
CREATE FUNCTION pg_temp.function(name text, body text DEFAULT 'SELECT 1',
                                 more text DEFAULT '') RETURNS text LANGUAGE sql AS $$
    SELECT format('CREATE FUNCTION %1$s() RETURNS integer LANGUAGE sql %3$s AS %2$L; COMMENT ON '
                  'FUNCTION %1$s() IS %4$L;
                   ALTER FUNCTION %1$s() OWNER TO coffer_exec; REVOKE EXECUTE ON FUNCTION %1$s()
                    FROM PUBLIC', name, body, more, 'Gives a number.')
$$;

SELECT is(pg_temp.said_after(statement, :'lint'), expected, title)
  FROM (VALUES
    ('a good helper passes', pg_temp.function('rule.f'), 'nothing'),
    ('a good entry point passes', pg_temp.function('operator.f',
                                                   more => 'SECURITY DEFINER SET search_path = '
                                                       'pg_catalog, pg_temp'),
     'nothing'),
    ('a body that names what is not there',
     pg_temp.function('rule.f', 'SELECT 1 FROM store.nowhere'),
     'relation "store.nowhere" does not exist'),
    ('a body that cannot be parsed', pg_temp.function('rule.f', 'SELECT 1 FROM'),
     'syntax error at end of input'),
    ('no comment', pg_temp.function('rule.f') || '; COMMENT ON FUNCTION rule.f() IS NULL',
     'rule.f() has no comment'),
    ('rights for PUBLIC', pg_temp.function('rule.f')
     || '; GRANT EXECUTE ON FUNCTION rule.f() TO PUBLIC',
     'rule.f() is executable by PUBLIC'),
    ('another owner', pg_temp.function('rule.f')
     || '; ALTER FUNCTION rule.f() OWNER TO coffer_migrate',
     'rule.f() is owned by somebody else'),
    ('an entry point that runs as its caller',
     pg_temp.function('job.f', more => 'SET search_path = pg_catalog, pg_temp'),
     'job.f() is an entry point without SECURITY DEFINER'),
    ('an entry point without search_path', pg_temp.function('daemon.f', more => 'SECURITY DEFINER'),
     'daemon.f() is an entry point without SET search_path'),
    ('an entry point with another search_path',
     pg_temp.function('daemon.f', more => 'SECURITY DEFINER SET search_path = pg_catalog, public'),
     'daemon.f() is an entry point without SET search_path'),
    ('a helper that runs as its owner', pg_temp.function('rule.f',
                                                         more => 'SECURITY DEFINER SET search_path '
                                                             '= pg_catalog, pg_temp'),
     'rule.f() is a helper with SECURITY DEFINER'),
    ('an endpoint function without an API function', pg_temp.function('endpoint.f'),
     'endpoint.f() is an endpoint function without an API function')
  ) AS t(title, statement, expected);

SELECT finish();
ROLLBACK;
