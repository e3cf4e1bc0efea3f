-- What a deploy leaves, object by object. A deploy records it (lint.sql), and each greeting of a daemon compares.
-- Definitions are printed `pretty`, which leaves out the parentheses that a dump does not keep: what pg_restore has made is
-- as it was deployed. For the same reason names that hold an oid are left out, and the name of the database; and texts are
-- in the order of "C", which every database has.

CREATE FUNCTION rule.manifest_index(index oid)
RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT regexp_replace(pg_get_indexdef(index, 0, true), ' INDEX .*? ON ', ' ')
$$;
COMMENT ON FUNCTION rule.manifest_index(oid) IS
    'Tells an index, but for its name: REINDEX CONCURRENTLY makes another one beside each that it replaces.';

CREATE FUNCTION rule.manifest_parts(relations oid[])
RETURNS TABLE (relation oid, parts text)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN QUERY
        SELECT part.relation, string_agg(DISTINCT part.text COLLATE "C", E'\n')
          -- The trigger of a foreign key has an oid in its name. Switched off, it checks and cascades no more.
          FROM (SELECT t.tgrelid, concat_ws(' ', t.tgenabled, CASE WHEN t.tgisinternal THEN concat_ws(' ', c.conname, t.tgfoid::regproc)
                                                                   ELSE pg_get_triggerdef(t.oid, true) END)
                  FROM pg_trigger t
                  LEFT JOIN pg_trigger parent ON parent.oid = t.tgparentid
                  LEFT JOIN pg_constraint c ON c.oid = t.tgconstraint
                 WHERE t.tgrelid = ANY (relations) AND t.tgenabled IS DISTINCT FROM parent.tgenabled
                UNION ALL
                SELECT r.ev_class, concat_ws(' ', r.ev_enabled, pg_get_ruledef(r.oid, true))
                  FROM pg_rewrite r WHERE r.ev_class = ANY (relations) AND r.rulename <> '_RETURN'
                UNION ALL
                SELECT c.conrelid, concat_ws(' ', c.conname, pg_get_constraintdef(c.oid, true))
                  FROM pg_constraint c
                 WHERE c.conrelid = ANY (relations) AND c.conislocal AND c.conparentid = 0
                   AND c.contype <> 'n'     -- NOT NULL, since PostgreSQL 18: it is told with its column
                UNION ALL
                SELECT i.indrelid, rule.manifest_index(i.indexrelid)
                  FROM pg_index i
                 WHERE i.indrelid = ANY (relations)
                   -- CASE keeps it from printing the indexes of all partitions, to compare them, which is most of the time then.
                   AND CASE WHEN EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid) THEN false
                            ELSE NOT EXISTS (SELECT FROM pg_index o JOIN pg_inherits h ON h.inhrelid = o.indexrelid
                                              WHERE o.indrelid = i.indrelid
                                                AND rule.manifest_index(o.indexrelid) = rule.manifest_index(i.indexrelid)) END
                UNION ALL
                SELECT p.polrelid, concat_ws(' ', p.polname, p.polcmd, p.polpermissive, p.polroles::regrole[],
                                             pg_get_expr(p.polqual, p.polrelid, true),
                                             pg_get_expr(p.polwithcheck, p.polrelid, true))
                  FROM pg_policy p WHERE p.polrelid = ANY (relations)) AS part(relation, text)
         GROUP BY part.relation;
END
$$;
COMMENT ON FUNCTION rule.manifest_parts(oid[]) IS
    'Tells of each of these tables and views its triggers, rules, constraints, indexes and policies, but for those that a partition has as its parent has them.';

CREATE FUNCTION rule.manifest()
RETURNS TABLE (object text, sha256 bytea)
LANGUAGE plpgsql STABLE
-- What definitions and constants in them are printed by: a session that has others must not find a change.
SET quote_all_identifiers = off
SET "DateStyle" = 'ISO, MDY'
SET "IntervalStyle" = 'postgres'
SET "TimeZone" = 'UTC'
SET bytea_output = 'hex'
SET extra_float_digits = 1
AS $$
DECLARE
    v_ours  CONSTANT oid[] := ARRAY(SELECT n.oid FROM pg_namespace n
                                     WHERE n.nspname = ANY ('{store,audit,fail,rule,endpoint,job,api,daemon,operator,auditor,crypto}'));
    v_roles CONSTANT name[] := '{coffer_owner,coffer_exec,coffer_api,coffer_operator,coffer_auditor,coffer_migrate}';
BEGIN
    RETURN QUERY
        WITH child AS MATERIALIZED
            (SELECT h.inhrelid AS oid, c.relowner AS parent_owner
               FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhparent
              WHERE c.relnamespace = ANY (v_ours) AND c.relkind IN ('r', 'p')),
        part AS MATERIALIZED
            (SELECT p.relation, p.parts
               FROM rule.manifest_parts(ARRAY(SELECT c.oid FROM pg_class c WHERE c.relnamespace = ANY (v_ours)
                                              UNION SELECT child.oid FROM child)) AS p)
        SELECT 'function ' || p.oid::regprocedure,
               sha256(convert_to(concat_ws(' ', pg_get_functiondef(p.oid), p.proowner::regrole, p.proacl), 'UTF8'))
          FROM pg_proc p WHERE p.pronamespace = ANY (v_ours)
        UNION ALL
        SELECT CASE c.relkind WHEN 'c' THEN 'type ' WHEN 'v' THEN 'view ' WHEN 'S' THEN 'sequence ' ELSE 'table ' END
               || c.oid::regclass,
               sha256(convert_to(concat_ws(' ', c.relowner::regrole, c.relacl,
                   CASE c.relkind WHEN 'v' THEN concat(c.reloptions, pg_get_viewdef(c.oid, true)) END,
                   (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attacl,
                                                a.attnotnull, a.attidentity, a.attgenerated,
                                                pg_get_expr(d.adbin, c.oid, true)), ',' ORDER BY a.attnum)
                      FROM pg_attribute a
                      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
                   c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity,
                   part.parts), 'UTF8'))
          FROM pg_class c
          LEFT JOIN part ON part.relation = c.oid
         WHERE c.relnamespace = ANY (v_ours) AND c.relkind IN ('c', 'r', 'p', 'v', 'm', 'f', 'S') AND NOT c.relispartition
        UNION ALL
        -- Partitions come and go while the service runs, each like its parent. What one of them has besides is not the job's work.
        SELECT format('what partition %s has of its own', own.partition), sha256(convert_to(own.text, 'UTF8'))
          FROM (SELECT c.oid::regclass AS partition,
                       concat_ws(' ', nullif(c.relkind, 'r'), nullif(c.relpersistence, 'p'), nullif(c.relispartition, true),
                           nullif(c.relrowsecurity, false), nullif(c.relforcerowsecurity, false),
                           nullif(c.relowner, child.parent_owner)::regrole,
                           -- What default privileges give each table is told with these.
                           (SELECT string_agg(concat_ws(' ', coalesce(r.rolname, 'PUBLIC'), e.privilege_type, e.is_grantable), ','
                                              ORDER BY r.rolname, e.privilege_type)
                              FROM aclexplode(c.relacl) AS e LEFT JOIN pg_roles r ON r.oid = e.grantee
                             WHERE e.grantee <> c.relowner
                               AND NOT EXISTS (SELECT FROM pg_default_acl d CROSS JOIN LATERAL aclexplode(d.defaclacl) AS given
                                                WHERE d.defaclobjtype = 'r' AND d.defaclrole = c.relowner
                                                  AND d.defaclnamespace IN (0, c.relnamespace)
                                                  AND (given.grantee, given.privilege_type, given.is_grantable)
                                                    = (e.grantee, e.privilege_type, e.is_grantable))),
                           (SELECT string_agg(concat_ws(' ', a.attname, a.attacl), ',' ORDER BY a.attnum)
                              FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL),
                           part.parts) AS text
                  FROM child JOIN pg_class c ON c.oid = child.oid
                  LEFT JOIN part ON part.relation = c.oid) AS own
         WHERE own.text <> ''
        UNION ALL
        SELECT 'schema ' || n.nspname, sha256(convert_to(concat_ws(' ', n.nspowner::regrole, n.nspacl), 'UTF8'))
          FROM pg_namespace n WHERE n.oid = ANY (v_ours)
        UNION ALL
        -- Who has the roles that own everything, or is more than they are meant to be. Whom a DBA lets be operator or auditor
        -- is his own business.
        SELECT 'role ' || r.rolname,
               sha256(convert_to(concat_ws(' ', r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolreplication, r.rolbypassrls,
                   r.rolcanlogin,
                   (SELECT string_agg(member.text, ',' ORDER BY member.text)
                      FROM pg_auth_members m,
                           LATERAL (SELECT concat_ws(' ', m.roleid::regrole, m.member::regrole, m.admin_option) COLLATE "C" AS text)
                               AS member
                     WHERE m.member = r.oid OR m.roleid = r.oid AND r.rolname <> 'coffer_api')), 'UTF8'))
          FROM pg_roles r WHERE r.rolname IN ('coffer_owner', 'coffer_exec', 'coffer_api')
        UNION ALL
        SELECT 'default privileges of ' || d.defaclrole::regrole,
               sha256(convert_to(string_agg(concat_ws(' ', n.nspname, d.defaclobjtype, d.defaclacl), ','
                                            ORDER BY n.nspname, d.defaclobjtype), 'UTF8'))
          FROM pg_default_acl d
          LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
         WHERE d.defaclnamespace = ANY (v_ours) OR d.defaclrole::regrole::text IN ('coffer_owner', 'coffer_exec')
         GROUP BY d.defaclrole
        UNION ALL
        -- A restored dump may be in a database of another name and owner. Who may connect is the DBA's own business, too.
        SELECT 'database', sha256(convert_to(concat_ws(' ', string_agg(entry.text, ',' ORDER BY entry.text)), 'UTF8'))
          FROM pg_database d
          LEFT JOIN LATERAL (SELECT concat_ws(' ', coalesce(r.rolname, 'PUBLIC'), e.privilege_type, e.is_grantable) COLLATE "C" AS text
                               FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS e
                               LEFT JOIN pg_roles r ON r.oid = e.grantee
                              WHERE e.privilege_type <> 'CONNECT' AND e.grantee <> d.datdba
                                AND (e.grantee = 0 OR r.rolname = ANY (v_roles))) AS entry ON true
         WHERE d.datname = current_database();
END
$$;
COMMENT ON FUNCTION rule.manifest() IS
    'Gives every function, type, view, table, sequence and schema of Coffer, what a partition has of its own, the roles that own and serve it, default privileges and the database, each with a hash of what it is, who owns it and who has which right on it.';

CREATE FUNCTION rule.manifest_faults()
RETURNS text[]
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN ARRAY(
        SELECT format('%s %s: %s, and ask who did that', coalesce(now.object, was.object),
                      CASE WHEN was.object IS NULL THEN 'was not deployed'
                           WHEN now.object IS NULL THEN 'is gone'
                           ELSE 'is not as it was deployed' END,
                      -- A deploy makes functions, types and views anew; of all else it would take what it finds for meant.
                      CASE WHEN coalesce(now.object, was.object) ~ '^(function|type|view) ' THEN 'deploy with migrations/migrate'
                           ELSE 'undo it, or if it was meant deploy with migrations/migrate' END)
          FROM rule.manifest() AS now FULL JOIN store.manifest AS was ON was.object = now.object
         WHERE now.sha256 IS DISTINCT FROM was.sha256
           -- Of a month that was dropped, all that its partition had of its own is gone, too.
           AND NOT (now.object IS NULL AND was.object LIKE 'what partition % has of its own'
                    AND to_regclass(split_part(was.object, ' ', 3)) IS NULL)
         ORDER BY coalesce(now.object, was.object) COLLATE "C"
         LIMIT 5);
END
$$;
COMMENT ON FUNCTION rule.manifest_faults() IS
    'Lists what is not as the last deploy left it, five at most, each with its remedy.';
