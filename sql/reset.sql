-- Drop every routine and view of the schemas that sql/ fills; they hold nothing but what its files
-- say. The types, and the views of type.sql and argument.sql, are dropped in type.sql.
-- RESTRICT: a stored object that has come to depend on one of them stops the deploy.
DO $$
DECLARE
    v_ours CONSTANT regnamespace[] := '{fail,rule,endpoint,job,api,daemon,operator,auditor}';
    -- A function that gives the rows of a view goes before it, and one that a view calls after it.
    v_called CONSTANT oid[] := ARRAY(
        SELECT d.refobjid FROM pg_catalog.pg_depend d
         WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass
           AND d.refclassid = 'pg_catalog.pg_proc'::regclass);
    v_drop text;
BEGIN
    FOR v_drop IN
        SELECT 'DROP FUNCTION ' || string_agg(p.oid::regprocedure::text, ', ') || ' RESTRICT'
          FROM pg_catalog.pg_proc p
         WHERE p.pronamespace = ANY (v_ours) AND p.oid <> ALL (v_called)
        UNION ALL
        SELECT 'DROP VIEW ' || string_agg(c.oid::regclass::text, ', ') || ' RESTRICT'
          FROM pg_catalog.pg_class c
         WHERE c.relnamespace = ANY (v_ours) AND c.relkind = 'v'
           AND c.oid::regclass::text
               <> ALL ('{rule.version_now,rule.argument_form,rule.argument_kind,'
                       'rule.argument_check}')
        UNION ALL
        SELECT 'DROP FUNCTION ' || string_agg(p.oid::regprocedure::text, ', ') || ' RESTRICT'
          FROM pg_catalog.pg_proc p
         WHERE p.pronamespace = ANY (v_ours) AND p.oid = ANY (v_called)
    LOOP
        CONTINUE WHEN v_drop IS NULL;
        EXECUTE v_drop;     -- dynamic: the names come from the catalogue
    END LOOP;
END
$$;
