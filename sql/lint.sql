-- What must hold of every function, checked at the end of a deploy and before it is committed.

-- Functions were made with their bodies unread, because they call each other across files; now all
-- of them are there.
SET LOCAL check_function_bodies = on;
DO $$
BEGIN
    PERFORM CASE l.lanname WHEN 'plpgsql' THEN plpgsql_validator(p.oid)
        ELSE fmgr_sql_validator(p.oid) END
       FROM pg_catalog.pg_proc p
       JOIN pg_catalog.pg_language l ON l.oid = p.prolang
      WHERE p.pronamespace = ANY
            ('{fail,rule,endpoint,job,api,daemon,operator,auditor}'::regnamespace[]);
END
$$;

DO $$
DECLARE
    v_entry CONSTANT regnamespace[] := '{api,job,operator,daemon,auditor}';
    v_inner CONSTANT regnamespace[] := '{fail,rule,endpoint}';
    v_message text;
BEGIN
    FOR v_message IN
        SELECT format('%s %s', p.oid::regprocedure, checks.fault)
          FROM pg_catalog.pg_proc p,
               LATERAL (VALUES
                   ('has no comment', obj_description(p.oid, 'pg_proc') IS NULL),
                   ('is executable by PUBLIC', p.proacl IS NULL
                    OR has_function_privilege('public', p.oid, 'EXECUTE')),
                   ('is owned by somebody else',
                    p.proowner::regrole::text NOT IN ('coffer_exec', 'coffer_owner')),
                   ('is an entry point without SECURITY DEFINER', p.pronamespace = ANY (v_entry)
                    AND NOT p.prosecdef),
                   ('is a helper with SECURITY DEFINER', p.pronamespace = ANY (v_inner)
                    AND p.prosecdef),
                   ('is an entry point without SET search_path',
                    p.pronamespace = ANY (v_entry)
                    AND p.proconfig IS DISTINCT FROM '{"search_path=pg_catalog, pg_temp"}'::text[]),
                   ('is an endpoint function without an API function',
                    p.pronamespace = 'endpoint'::regnamespace
                    AND to_regprocedure(format('api.%I(jsonb, bytea, bytea, bytea)', p.proname))
                        IS NULL),
                   ('is an endpoint without a line in rule.method',
                    p.pronamespace = 'endpoint'::regnamespace
                    AND NOT EXISTS (SELECT FROM rule.method m WHERE m.method = p.proname))
               ) AS checks(fault, found)
         WHERE p.pronamespace = ANY (v_entry || v_inner) AND checks.found
    LOOP
        RAISE EXCEPTION USING MESSAGE = v_message,
            HINT = 'mend the function and deploy again; nothing has been changed';
    END LOOP;
END
$$;

-- All is well: this is what daemons will find, or refuse. What is there already stays, so that a
-- deploy of nothing new changes nothing.
DELETE FROM store.manifest AS was WHERE NOT EXISTS (SELECT FROM rule.manifest() AS now
                                                    WHERE now.object = was.object);
INSERT INTO store.manifest AS was (object, sha256)
SELECT object, sha256 FROM rule.manifest() ORDER BY object COLLATE "C"
    ON CONFLICT (object) DO UPDATE SET sha256 = excluded.sha256 WHERE was.sha256 <> excluded.sha256;
