-- What a deploy leaves, object by object. A deploy records it (lint.sql), and each greeting of a daemon compares.

CREATE FUNCTION rule.manifest()
RETURNS TABLE (object text, sha256 bytea)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_ours CONSTANT oid[] := ARRAY(SELECT n.oid FROM pg_namespace n
                                    WHERE n.nspname = ANY ('{store,audit,fail,rule,endpoint,job,api,daemon,operator,auditor,crypto}'));
BEGIN
    RETURN QUERY
        SELECT 'function ' || p.oid::regprocedure,
               sha256(convert_to(concat_ws(' ', pg_get_functiondef(p.oid), p.proowner::regrole, p.proacl), 'UTF8'))
          FROM pg_proc p WHERE p.pronamespace = ANY (v_ours)
        UNION ALL
        -- A partition has the rights that nobody uses: calls go through its parent. Definitions are printed `pretty`,
        -- which leaves out the parentheses that a dump does not keep: what pg_restore has made is as it was deployed.
        SELECT CASE c.relkind WHEN 'c' THEN 'type ' WHEN 'v' THEN 'view ' WHEN 'S' THEN 'sequence ' ELSE 'table ' END
               || c.oid::regclass,
               sha256(convert_to(concat_ws(' ', c.relowner::regrole, c.relacl,
                   CASE c.relkind WHEN 'v' THEN concat(c.reloptions, pg_get_viewdef(c.oid, true)) END,
                   (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attacl), ','
                                      ORDER BY a.attnum)
                      FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
                   (SELECT string_agg(pg_get_triggerdef(t.oid, true) || t.tgenabled::text, ',' ORDER BY t.tgname)
                      FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal),
                   (SELECT string_agg(pg_get_ruledef(r.oid, true), ',' ORDER BY r.rulename)
                      FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN')), 'UTF8'))
          FROM pg_class c
         WHERE c.relnamespace = ANY (v_ours) AND c.relkind IN ('c', 'r', 'p', 'v', 'm', 'f', 'S') AND NOT c.relispartition
        UNION ALL
        SELECT 'schema ' || n.nspname, sha256(convert_to(concat_ws(' ', n.nspowner::regrole, n.nspacl), 'UTF8'))
          FROM pg_namespace n WHERE n.oid = ANY (v_ours);
END
$$;
COMMENT ON FUNCTION rule.manifest() IS
    'Gives every function, type, view, table, sequence and schema of Coffer with a hash of what it is, who owns it and who has which right on it.';

CREATE FUNCTION rule.manifest_faults()
RETURNS text[]
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN ARRAY(
        SELECT format('%s %s: deploy with migrations/migrate, and ask who did that', coalesce(now.object, was.object),
                      CASE WHEN was.object IS NULL THEN 'was not deployed'
                           WHEN now.object IS NULL THEN 'is gone'
                           ELSE 'is not as it was deployed' END)
          FROM rule.manifest() AS now FULL JOIN store.manifest AS was ON was.object = now.object
         WHERE now.sha256 IS DISTINCT FROM was.sha256
         ORDER BY coalesce(now.object, was.object) COLLATE "C"
         LIMIT 5);
END
$$;
COMMENT ON FUNCTION rule.manifest_faults() IS
    'Lists what is not as the last deploy left it, five at most, each with its remedy.';
