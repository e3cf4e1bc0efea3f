-- For tests of what raises: what PostgreSQL says of it. Included after BEGIN.

SET client_min_messages = error;
-- As where somebody replicates all tables: PostgreSQL then refuses to change rows of a table
-- without a replica identity.
CREATE PUBLICATION everything FOR TABLES IN SCHEMA store, audit;
SET client_min_messages = warning;
CREATE SCHEMA test;
SET search_path = test, tap;

-- What a statement raises: "SQLSTATE HINT DETAIL", or "nothing".
CREATE FUNCTION test.raised(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_detail text;
    v_hint   text;
BEGIN
    EXECUTE statement;
    RETURN 'nothing';
EXCEPTION
    WHEN SQLSTATE 'SM000' THEN
        GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL, v_hint = PG_EXCEPTION_HINT;
        RETURN concat_ws(' ', SQLSTATE, v_hint, v_detail);
END
$$;

SELECT no_plan();
