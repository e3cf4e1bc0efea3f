-- What a deploy leaves, object by object. A deploy records it (lint.sql), and each handshake of a
-- daemon compares. Definitions are printed `pretty`, which leaves out the parentheses that a dump
-- does not keep: what pg_restore has made is as it was deployed. For the same reason names that
-- hold an oid are left out, and the name of the database; and texts are in the order of "C", which
-- every database has. What a deploy does not make anew is told in words that all major versions of
-- PostgreSQL share.

CREATE FUNCTION rule.manifest_acl(acl aclitem[], kind "char", owner oid)
RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT replace(concat(coalesce(acl, acldefault(kind, owner))),
                   concat(owner::regrole, '=arwdDxtm/'), concat(owner::regrole, '=arwdDxt/'))
$$;
COMMENT ON FUNCTION rule.manifest_acl(aclitem[], "char", oid) IS
    'Tells the rights on an object of a kind of acldefault, also where they are the default ones, '
    'but for MAINTAIN of a table''s owner, which PostgreSQL 17 adds.';

CREATE FUNCTION rule.manifest_index(index oid)
RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT regexp_replace(pg_get_indexdef(index, 0, true), ' INDEX .*? ON ', ' ')
$$;
COMMENT ON FUNCTION rule.manifest_index(oid) IS
    'Tells an index, but for its name: REINDEX CONCURRENTLY makes another one beside each that it '
    'replaces.';

CREATE FUNCTION rule.manifest_flags(relation oid)
RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    -- PostgreSQL may leave a flag set when the last trigger, rule or index goes. It never clears
    -- one while there is any.
    RETURN (SELECT nullif(concat_ws(' ',
                       CASE WHEN NOT c.relhastriggers
                           AND EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid)
                            THEN 'without triggers' END,
                       CASE WHEN NOT c.relhasrules
                           AND EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid)
                            THEN 'without rules' END,
                       CASE WHEN NOT c.relhasindex
                           AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid)
                            THEN 'without indexes' END,
                       CASE WHEN c.relchecks < (SELECT count(*) FROM pg_constraint k
                                                 WHERE k.conrelid = c.oid AND k.contype = 'c')
                            THEN 'without checks' END), '')
              FROM pg_class c WHERE c.oid = relation);
END
$$;
COMMENT ON FUNCTION rule.manifest_flags(oid) IS
    'Tells whether the flags of a table keep PostgreSQL from looking at triggers, rules, indexes '
    'or checks that it has, as after an UPDATE of pg_class; null: they do not.';

CREATE FUNCTION rule.manifest_parts(relations oid[])
RETURNS TABLE (relation oid, parts text)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN QUERY
        SELECT part.relation, string_agg(DISTINCT part.text COLLATE "C", E'\n')
          -- The trigger of a foreign key has an oid in its name. Switched off, it checks and
          -- cascades no more.
          FROM (SELECT t.tgrelid, concat_ws(' ', t.tgenabled, CASE WHEN t.tgisinternal
                                            THEN concat_ws(' ', c.conname, t.tgfoid::regproc)
                                                                   ELSE pg_get_triggerdef(t.oid,
                                                                       true) END)
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
                   -- NOT NULL, since PostgreSQL 18: it is told with its column
                   AND c.contype <> 'n'
                UNION ALL
                -- One of two of a definition is enough: REINDEX CONCURRENTLY has not finished the
                -- other, or failed.
                SELECT i.indrelid, concat_ws(' ', i.definition, CASE WHEN NOT bool_or(i.used)
                                             THEN 'not used' END)
                  FROM (SELECT x.indrelid, rule.manifest_index(x.indexrelid) AS definition,
                        used.used
                          FROM pg_index x
                          LEFT JOIN pg_inherits h ON h.inhrelid = x.indexrelid
                          LEFT JOIN pg_index parent ON parent.indexrelid = h.inhparent
                         CROSS JOIN LATERAL (SELECT x.indisvalid AND x.indisready AND x.indislive
                                                    AND x.indimmediate
                                                        = coalesce(parent.indimmediate,
                                                            x.indimmediate)
                                                    AND x.indisunique = coalesce(parent.indisunique,
                                                        x.indisunique)) AS used(used)
                         WHERE x.indrelid = ANY (relations)
                           -- CASE keeps it from printing the indexes of all partitions, to compare
                           -- them, which is most of the time then: only one that a partition has of
                           -- its own can be a half of REINDEX CONCURRENTLY of one that it has as
                           -- its parent.
                           AND CASE WHEN h.inhrelid IS NOT NULL THEN NOT used.used
                                    WHEN NOT EXISTS (SELECT FROM pg_inherits t
                                                     WHERE t.inhrelid = x.indrelid) THEN true
                                    ELSE NOT EXISTS (SELECT FROM pg_index o JOIN pg_inherits t
                                                     ON t.inhrelid = o.indexrelid
                                                      WHERE o.indrelid = x.indrelid
                                                        AND rule.manifest_index(o.indexrelid)
                                                          = rule.manifest_index(x.indexrelid)) END)
                                                              AS i
                 GROUP BY i.indrelid, i.definition
                UNION ALL
                SELECT p.polrelid, concat_ws(' ', p.polname, p.polcmd, p.polpermissive,
                                             p.polroles::regrole[],
                                             pg_get_expr(p.polqual, p.polrelid, true),
                                             pg_get_expr(p.polwithcheck, p.polrelid, true))
                  FROM pg_policy p WHERE p.polrelid = ANY (relations)) AS part(relation, text)
         GROUP BY part.relation;
END
$$;
COMMENT ON FUNCTION rule.manifest_parts(oid[]) IS
    'Tells of each of these tables and views its triggers, rules, constraints, indexes and '
    'policies, but for those that a partition has as its parent has them.';

-- What PostgreSQL runs within a function of ours without being named there: casts, operators and
-- what stands behind them. Of the catalogue that initdb makes there is one hash a kind; what
-- somebody has added to it is told one by one. Objects below 12000 (FirstUnpinnedObjectId) are the
-- same in all clusters of a major version.
CREATE FUNCTION rule.manifest_builtin()
RETURNS TABLE (object text, sha256 bytea)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_plpgsql CONSTANT text := '(SELECT unnest(ARRAY[o.lanplcallfoid, o.laninline, o.lanvalidator])
                                   FROM pg_language o WHERE o.lanname = ''plpgsql'')';
    v_row     record;
BEGIN
    FOR v_row IN
        SELECT *
          FROM (VALUES
            ('functions',
             'p.oid, p.proname, p.prolang, p.prosecdef, p.prosupport::oid, p.prosrc, p.probin, '
             'p.prosqlbody, p.proconfig',
             'pg_proc p WHERE p.oid < 12000', 'p.oid'),
            -- initdb gives these numbers to what its scripts make. pg_upgrade makes plpgsql anew.
            ('functions from scripts',
             'p.oid::regprocedure, p.prolang, p.prosecdef, p.prosrc, p.probin, p.proconfig',
             'pg_proc p WHERE p.oid BETWEEN 12000 AND 16383 AND p.pronamespace = '
             '''pg_catalog''::regnamespace'
             ' AND p.oid NOT IN ' || v_plpgsql, 'p.oid::regprocedure::text COLLATE "C"'),
            ('aggregates',
             'a.aggfnoid::oid, a.aggtransfn::oid, a.aggfinalfn::oid, a.aggcombinefn::oid, '
             'a.aggmtransfn::oid,'
             ' a.aggminvtransfn::oid, a.aggmfinalfn::oid, a.aggtranstype, a.agginitval, '
             'a.aggminitval',
             'pg_aggregate a WHERE a.aggfnoid::oid < 12000', 'a.aggfnoid::oid'),
            ('operators',
             'o.oid, o.oprname, o.oprleft, o.oprright, o.oprcode::oid, o.oprcom, o.oprnegate, '
             'o.oprrest::oid, o.oprjoin::oid',
             'pg_operator o WHERE o.oid < 12000', 'o.oid'),
            ('operator classes',
             'c.oid, c.opcmethod, c.opcfamily, c.opcintype, c.opcdefault',
             'pg_opclass c WHERE c.oid < 12000', 'c.oid'),
            ('operator families',
             'm.oid, m.amopfamily, m.amopstrategy, m.amopopr',
             'pg_amop m WHERE m.oid < 12000', 'm.oid'),
            ('support functions',
             'm.oid, m.amprocfamily, m.amprocnum, m.amproc::oid',
             'pg_amproc m WHERE m.oid < 12000', 'm.oid'),
            ('types',
             't.oid, t.typname, t.typinput::oid, t.typoutput::oid, t.typreceive::oid, '
             't.typsend::oid,'
             ' t.typmodin::oid, t.typmodout::oid, t.typanalyze::oid, t.typsubscript::oid',
             'pg_type t WHERE t.oid < 12000', 't.oid'),
            ('casts',
             'c.castsource, c.casttarget, c.castfunc, c.castcontext, c.castmethod',
             'pg_cast c WHERE c.oid < 12000', 'c.castsource, c.casttarget'),
            ('access methods',
             'a.oid, a.amname, a.amhandler::oid',
             'pg_am a WHERE a.oid < 12000', 'a.oid'),
            ('collations',
             'c.oid, c.collname, c.collprovider, c.collisdeterministic, c.collcollate, c.collctype',
             'pg_collation c WHERE c.oid < 12000', 'c.oid'),
            -- These come from a script, with other numbers each time; and pg_upgrade makes plpgsql
            -- anew.
            ('conversions',
             'c.conname, c.conforencoding, c.contoencoding, c.conproc, c.condefault',
             'pg_conversion c WHERE c.connamespace = ''pg_catalog''::regnamespace', 'c.conname'),
            ('languages',
             'l.lanname, p.proname, p.prolang, p.prosrc, p.probin',
             'pg_language l JOIN pg_proc p ON p.oid IN (l.lanplcallfoid, l.laninline, '
             'l.lanvalidator)'
             ' WHERE l.lanname IN (''internal'', ''c'', ''sql'', ''plpgsql'')',
                 'l.lanname, p.proname')
          ) AS builtin(kind, columns, catalogue, place)
    LOOP
        object := 'PostgreSQL''s ' || v_row.kind;
        EXECUTE format(         -- dynamic: a catalogue is a row above
            $query$SELECT sha256(convert_to(string_agg(concat_ws(' ', %s), E'\n' ORDER BY %s),
                                            'UTF8')) FROM %s$query$,
            v_row.columns, v_row.place, v_row.catalogue) INTO sha256;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION rule.manifest_builtin() IS
    'Gives what PostgreSQL itself runs within functions of Coffer, a hash for each kind; it '
    'depends on the major version alone.';

CREATE FUNCTION rule.manifest_added(ours oid[])
RETURNS TABLE (object text, described text, function oid)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_schemas CONSTANT oid[] := ours || 'pg_catalog'::regnamespace::oid;
    -- Functions of ours handle values of no other types, and compare and sort by the operators of
    -- btree and hash.
    v_types   CONSTANT text := '(SELECT t.oid FROM pg_type t WHERE t.typnamespace = ANY ($1))';
    v_methods CONSTANT text :=
        '(SELECT a.oid FROM pg_am a WHERE a.amname IN (''btree'', ''hash''))';
    v_row     record;
BEGIN
    FOR v_row IN
        SELECT *
          FROM (VALUES
            ($text$format('cast from %s to %s', c.castsource::regtype, c.casttarget::regtype)$text$,
             'nullif(c.castfunc, 0)::regprocedure, c.castcontext, c.castmethod', 'c.castfunc',
             'pg_cast c WHERE c.oid >= 12000 AND c.castsource IN types AND c.casttarget IN types'),
            ($text$'operator ' || o.oid::regoperator$text$,
             'o.oprresult::regtype, o.oprcode, o.oprrest, o.oprjoin', 'o.oprcode',
             'pg_operator o WHERE o.oid >= 12000 AND o.oprnamespace = ANY ($1)'),
            ($text$format('operator class %s for %s', c.opcname, c.opcintype::regtype)$text$,
             'c.opcdefault', 'NULL',
             'pg_opclass c WHERE c.oid >= 12000 AND c.opcintype IN types AND c.opcmethod IN '
             'methods'),
            ($text$format('operator %s in operator family %s', m.amopopr::regoperator,
                          f.opfname)$text$,
             'm.amopstrategy', 'o.oprcode',
             'pg_amop m JOIN pg_opfamily f ON f.oid = m.amopfamily JOIN pg_operator o ON o.oid = '
             'm.amopopr'
             ' WHERE m.oid >= 12000 AND m.amopmethod IN methods'
             ' AND m.amoplefttype IN types AND m.amoprighttype IN types'),
            ($text$format('support function %s in operator family %s', m.amproc::oid::regprocedure,
                          f.opfname)$text$,
             'm.amprocnum', 'm.amproc',
             'pg_amproc m JOIN pg_opfamily f ON f.oid = m.amprocfamily'
             ' WHERE m.oid >= 12000 AND f.opfmethod IN methods'
             ' AND m.amproclefttype IN types AND m.amprocrighttype IN types'),
            ($text$'event trigger ' || quote_ident(e.evtname)$text$,
             'e.evtevent, e.evtowner::regrole, e.evtenabled, e.evttags, e.evtfoid::regprocedure',
                 'e.evtfoid',
             'pg_event_trigger e')
          ) AS added(name, columns, called, catalogue)
    LOOP
        RETURN QUERY EXECUTE format(        -- dynamic: a catalogue is a row above
            $query$SELECT %s, concat_ws(' ', %s), %s::oid FROM %s$query$,
            v_row.name, v_row.columns, v_row.called,
            replace(replace(v_row.catalogue, 'IN types', 'IN ' || v_types), 'IN methods',
                    'IN ' || v_methods))
            USING v_schemas;
    END LOOP;
END
$$;
COMMENT ON FUNCTION rule.manifest_added(oid[]) IS
    'Gives what somebody has added to what PostgreSQL runs within functions of these schemas '
    'without being named there: casts, operators and what stands behind them, and event triggers, '
    'each with the function that it calls.';

CREATE FUNCTION rule.manifest_role(role oid)
RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_watched CONSTANT oid[] := ARRAY(SELECT r.oid FROM pg_roles r WHERE r.rolname = ANY (
        '{coffer_owner,coffer_exec,coffer_api,coffer_operator,coffer_auditor,coffer_migrate,'
        'pg_write_all_data,pg_write_server_files,pg_execute_server_program}'));
    v_name    CONSTANT name := role::regrole;
BEGIN
    RETURN (
        -- Whom a DBA lets be operator or auditor is his own business; of all others who has the
        -- role, also by way of others.
        WITH RECURSIVE edge AS
            (SELECT m.roleid, m.member, m.admin_option
               FROM pg_auth_members m
              WHERE m.roleid = manifest_role.role
                AND v_name NOT IN ('coffer_operator', 'coffer_auditor')
              UNION
             SELECT m.roleid, m.member, m.admin_option
               FROM edge JOIN pg_auth_members m ON m.roleid = edge.member
              WHERE m.roleid <> ALL (v_watched))
        SELECT concat_ws(' ', r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolreplication,
                         r.rolbypassrls,
                         -- Who logs in by a role of his own needs none for these.
                         CASE WHEN v_name NOT IN ('coffer_operator', 'coffer_auditor',
                                                  'coffer_migrate') THEN r.rolcanlogin END,
                         (SELECT string_agg(member.text, ',' ORDER BY member.text)
                            FROM (SELECT edge.* FROM edge
                                   UNION
                                  SELECT m.roleid, m.member, m.admin_option FROM pg_auth_members m
                                   WHERE m.member = r.oid AND starts_with(v_name, 'coffer_')) AS m,
                                 LATERAL (SELECT concat_ws(' ', m.roleid::regrole,
                                                           m.member::regrole,
                                                               m.admin_option) COLLATE "C" AS text)
                                     AS member))
          FROM pg_roles r WHERE r.oid = manifest_role.role);
END
$$;
COMMENT ON FUNCTION rule.manifest_role(oid) IS
    'Tells what a role may do that no right says, which roles it has, and who has it, but for '
    'operators and auditors.';

CREATE FUNCTION rule.manifest()
RETURNS TABLE (object text, sha256 bytea)
LANGUAGE plpgsql STABLE
-- What definitions and constants in them are printed by: a session that has others must not find a
-- change.
SET quote_all_identifiers = off
SET "DateStyle" = 'ISO, MDY'
SET "IntervalStyle" = 'postgres'
SET "TimeZone" = 'UTC'
SET bytea_output = 'hex'
SET extra_float_digits = 1
AS $$
DECLARE
    v_ours     CONSTANT oid[] := ARRAY(
        SELECT n.oid FROM pg_namespace n
         WHERE n.nspname IN ('store', 'audit', 'fail', 'rule', 'endpoint', 'job', 'api', 'daemon',
                             'operator', 'auditor', 'crypto'));
    v_catalog  CONSTANT oid := 'pg_catalog'::regnamespace;
    -- What encryption and decryption call. Another version of pgcrypto brings more, which nobody
    -- here calls.
    v_pgcrypto CONSTANT name[] := '{encrypt_iv,decrypt_iv,hmac,gen_random_bytes}';
BEGIN
    RETURN QUERY
        WITH relation AS MATERIALIZED
            (SELECT c.oid FROM pg_class c WHERE c.relnamespace = ANY (v_ours)),
        child AS MATERIALIZED
            (SELECT h.inhrelid AS oid, c.relowner AS parent_owner
               FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhparent
              WHERE c.relnamespace = ANY (v_ours) AND c.relkind IN ('r', 'p')),
        part AS MATERIALIZED
            (SELECT p.relation, p.parts
               FROM rule.manifest_parts(ARRAY(SELECT r.oid FROM relation r UNION SELECT child.oid
                                              FROM child)) AS p),
        added AS MATERIALIZED
            (SELECT a.object, a.described, a.function FROM rule.manifest_added(v_ours) AS a),
        -- Functions of others that something of ours calls, so that it runs them where it is used.
        called AS MATERIALIZED
            (SELECT a.function AS oid FROM added a
              UNION
             SELECT d.refobjid
               FROM pg_depend d
              WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid >= 12000
                AND CASE d.classid
                        WHEN 'pg_trigger'::regclass
                            THEN (SELECT t.tgrelid FROM pg_trigger t WHERE t.oid = d.objid)
                        WHEN 'pg_constraint'::regclass
                            THEN (SELECT c.conrelid FROM pg_constraint c WHERE c.oid = d.objid)
                        WHEN 'pg_attrdef'::regclass
                            THEN (SELECT a.adrelid FROM pg_attrdef a WHERE a.oid = d.objid)
                        WHEN 'pg_rewrite'::regclass
                            THEN (SELECT r.ev_class FROM pg_rewrite r WHERE r.oid = d.objid)
                        WHEN 'pg_policy'::regclass
                            THEN (SELECT p.polrelid FROM pg_policy p WHERE p.oid = d.objid)
                        WHEN 'pg_class'::regclass
                            THEN (SELECT i.indrelid FROM pg_index i WHERE i.indexrelid = d.objid)
                    END IN (SELECT r.oid FROM relation r UNION ALL SELECT child.oid FROM child))
        SELECT 'PostgreSQL ' || current_setting('server_version_num')::integer / 10000, sha256('')
        UNION ALL
        SELECT b.object, b.sha256 FROM rule.manifest_builtin() AS b
        UNION ALL
        -- One operator may be in several families of one name, and the like.
        SELECT a.object, sha256(convert_to(string_agg(a.described, E'\n'
                                                      ORDER BY a.described COLLATE "C"), 'UTF8'))
          FROM added a GROUP BY a.object
        UNION ALL
        SELECT CASE WHEN p.pronamespace = ANY (v_ours) THEN 'function ' || p.oid::regprocedure
                    WHEN p.pronamespace = v_catalog
                        THEN 'added function pg_catalog.' || p.oid::regprocedure
                    ELSE 'called function ' || p.oid::regprocedure END,
               sha256(convert_to(concat_ws(' ', p.prokind, l.lanname, p.prosecdef, p.proleakproof,
                                           p.proisstrict, p.proretset, p.provolatile,
                   p.proparallel, p.procost, p.prorows, p.prorettype::regtype,
                       p.proallargtypes::regtype[], p.proargmodes, p.proargnames,
                   p.protrftypes::regtype[], nullif(p.prosupport, 0)::regproc,
                       pg_get_expr(p.proargdefaults, 0), p.prosrc, p.probin,
                   pg_get_function_sqlbody(p.oid), p.proconfig, p.proowner::regrole,
                       rule.manifest_acl(p.proacl, 'f', p.proowner)), 'UTF8'))
          FROM pg_proc p
          JOIN pg_language l ON l.oid = p.prolang
         WHERE p.oid >= 12000
           AND (p.pronamespace = ANY (v_ours)
                -- Functions of the library of pgcrypto that nobody here calls come and go with its
                -- version.
                AND NOT (p.pronamespace = to_regnamespace('crypto')
                         AND p.probin = '$libdir/pgcrypto' AND p.proname <> ALL (v_pgcrypto))
                OR p.oid IN (SELECT called.oid FROM called)
                AND p.pronamespace <> ALL (v_ours || v_catalog)
                -- pg_upgrade makes those of PL/pgSQL anew, which are told with the language.
                OR p.pronamespace = v_catalog AND p.oid >= 16384
                   AND NOT EXISTS (SELECT FROM pg_language o WHERE o.lanname = 'plpgsql'
                                                                 AND p.oid IN (o.lanplcallfoid,
                                                                     o.laninline, o.lanvalidator)))
        UNION ALL
        SELECT CASE c.relkind WHEN 'c' THEN 'type ' WHEN 'v' THEN 'view ' WHEN 'S' THEN 'sequence '
               ELSE 'table ' END
               || c.oid::regclass,
               sha256(convert_to(concat_ws(' ', c.relowner::regrole,
                   CASE WHEN c.relkind <> 'c'
                       THEN rule.manifest_acl(c.relacl, CASE c.relkind WHEN 'S' THEN 's'::"char"
                                              ELSE 'r' END, c.relowner) END,
                   CASE c.relkind WHEN 'v'
                       THEN concat(c.reloptions, pg_get_viewdef(c.oid, true)) END,
                   (SELECT string_agg(concat_ws(' ', a.attname,
                                                format_type(a.atttypid, a.atttypmod), a.attacl,
                                                nullif(a.attcollation,
                                                       t.typcollation)::regcollation,
                                                a.attnotnull, a.attidentity, a.attgenerated,
                                                pg_get_expr(d.adbin, c.oid, true)), ','
                                                    ORDER BY a.attnum)
                      FROM pg_attribute a
                      JOIN pg_type t ON t.oid = a.atttypid
                      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
                   c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity,
                       nullif(m.amname, 'heap'),
                   rule.manifest_flags(c.oid), part.parts), 'UTF8'))
          FROM pg_class c
          LEFT JOIN pg_am m ON m.oid = c.relam
          LEFT JOIN part ON part.relation = c.oid
         WHERE c.relnamespace = ANY (v_ours) AND c.relkind IN ('c', 'r', 'p', 'v', 'm', 'f', 'S')
           AND NOT c.relispartition
        UNION ALL
        -- Partitions come and go while the service runs, each like its parent. What one of them has
        -- besides is not the job's work.
        SELECT format('what partition %s has of its own', own.partition),
               sha256(convert_to(own.text, 'UTF8'))
          FROM (SELECT c.oid::regclass AS partition,
                       concat_ws(' ', nullif(c.relkind, 'r'), nullif(c.relpersistence, 'p'),
                                 nullif(c.relispartition, true),
                           nullif(c.relrowsecurity, false), nullif(c.relforcerowsecurity, false),
                               nullif(m.amname, 'heap'),
                           rule.manifest_flags(c.oid),
                           nullif(c.relowner, child.parent_owner)::regrole,
                           -- What default privileges give each table is told with these.
                           (SELECT string_agg(concat_ws(' ', coalesce(r.rolname, 'PUBLIC'),
                                                        e.privilege_type, e.is_grantable), ','
                                              ORDER BY r.rolname, e.privilege_type)
                              FROM aclexplode(c.relacl) AS e LEFT JOIN pg_roles r
                                   ON r.oid = e.grantee
                             WHERE e.grantee <> c.relowner
                               AND NOT EXISTS (SELECT FROM pg_default_acl d
                                               CROSS JOIN LATERAL aclexplode(d.defaclacl) AS given
                                                WHERE d.defaclobjtype = 'r'
                                                  AND d.defaclrole = c.relowner
                                                  AND d.defaclnamespace IN (0, c.relnamespace)
                                                  AND (given.grantee, given.privilege_type,
                                                       given.is_grantable)
                                                    = (e.grantee, e.privilege_type,
                                                       e.is_grantable))),
                           (SELECT string_agg(concat_ws(' ', a.attname, a.attacl), ','
                                              ORDER BY a.attnum)
                              FROM pg_attribute a WHERE a.attrelid = c.oid
                                  AND a.attacl IS NOT NULL),
                           part.parts) AS text
                  FROM child JOIN pg_class c ON c.oid = child.oid
                  LEFT JOIN pg_am m ON m.oid = c.relam
                  LEFT JOIN part ON part.relation = c.oid) AS own
         WHERE own.text <> ''
        UNION ALL
        -- The owner of pg_catalog is the superuser of initdb, whatever his name.
        SELECT 'schema ' || n.nspname,
               sha256(convert_to(CASE WHEN n.oid = v_catalog
                                      THEN (SELECT
                                            string_agg(concat_ws(' ', r.rolname, e.privilege_type,
                                                e.is_grantable), ','
                                                              ORDER BY r.rolname, e.privilege_type)
                                              FROM aclexplode(n.nspacl) AS e LEFT JOIN pg_roles r
                                                   ON r.oid = e.grantee
                                             WHERE e.grantee <> n.nspowner)
                                      ELSE concat_ws(' ', n.nspowner::regrole,
                                                     rule.manifest_acl(n.nspacl, 'n',
                                                         n.nspowner)) END, 'UTF8'))
          FROM pg_namespace n WHERE n.oid = ANY (v_ours || v_catalog)
        UNION ALL
        SELECT 'role ' || r.rolname, sha256(convert_to(rule.manifest_role(r.oid), 'UTF8'))
          FROM pg_roles r
         WHERE r.rolname IN ('coffer_owner', 'coffer_exec', 'coffer_api', 'coffer_operator',
                             'coffer_auditor', 'coffer_migrate',
                             -- These may do what no right on a table or function says.
                             'pg_write_all_data', 'pg_write_server_files',
                                 'pg_execute_server_program')
        UNION ALL
        SELECT 'default privileges of ' || d.defaclrole::regrole,
               sha256(convert_to(string_agg(concat_ws(' ', n.nspname, d.defaclobjtype,
                                                      rule.manifest_acl(d.defaclacl, 'r',
                                                          d.defaclrole)), ','
                                            ORDER BY n.nspname, d.defaclobjtype), 'UTF8'))
          FROM pg_default_acl d
          LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
         WHERE d.defaclnamespace = ANY (v_ours)
           OR d.defaclrole::regrole::text IN ('coffer_owner', 'coffer_exec')
         GROUP BY d.defaclrole
        UNION ALL
        -- A restored dump may be in a database of another name and owner. Who may connect is the
        -- DBA's own business, too.
        SELECT 'database', sha256(convert_to(concat_ws(' ',
                                                       string_agg(entry.text, ','
                                                           ORDER BY entry.text)), 'UTF8'))
          FROM pg_database d
          LEFT JOIN LATERAL (SELECT concat_ws(' ', coalesce(r.rolname, 'PUBLIC'), e.privilege_type,
                                              e.is_grantable) COLLATE "C" AS text
                               FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS e
                               LEFT JOIN pg_roles r ON r.oid = e.grantee
                              WHERE e.privilege_type <> 'CONNECT'
                                AND e.grantee <> d.datdba) AS entry ON true
         WHERE d.datname = current_database()
        UNION ALL
        -- Settings that load a library, or make a session another role's. All others do the daemon
        -- no harm, or it asks for their values.
        SELECT format('%s of %s', split.name,
                      coalesce('role ' || nullif(s.setrole, 0)::regrole, 'the database')),
               sha256(convert_to(string_agg(split.value, ',' ORDER BY s.setdatabase <> 0), 'UTF8'))
          FROM pg_db_role_setting s
          JOIN pg_database d ON d.datname = current_database() AND s.setdatabase IN (0, d.oid)
          LEFT JOIN pg_roles r ON r.oid = s.setrole
          CROSS JOIN LATERAL (SELECT split_part(entry, '=', 1), entry
                              FROM unnest(s.setconfig) AS entry) AS split(name, value)
         WHERE (s.setrole = 0 OR r.rolname IN ('coffer_owner', 'coffer_exec', 'coffer_api',
                                               'coffer_operator', 'coffer_auditor',
                                                   'coffer_migrate'))
           AND split.name IN ('session_preload_libraries', 'local_preload_libraries',
                              'dynamic_library_path', 'extension_control_path',
                              'jit_provider', 'role', 'session_authorization')
         GROUP BY split.name, s.setrole
        UNION ALL
        SELECT 'right to set ' || a.parname,
               sha256(convert_to(concat_ws(' ', string_agg(entry.text, ',' ORDER BY entry.text)),
                                 'UTF8'))
          FROM pg_parameter_acl a
          CROSS JOIN LATERAL (SELECT concat_ws(' ', coalesce(r.rolname, 'PUBLIC'), e.privilege_type,
                                               e.is_grantable) COLLATE "C" AS text
                                FROM aclexplode(a.paracl) AS e
                                LEFT JOIN pg_roles r ON r.oid = e.grantee
                               WHERE e.grantee = 0 OR starts_with(r.rolname, 'coffer_')) AS entry
         GROUP BY a.parname;
END
$$;
COMMENT ON FUNCTION rule.manifest() IS
    'Gives the major version of PostgreSQL, what it runs within functions of Coffer by itself, '
    'every function, type, view, table, sequence and schema of Coffer, what a partition has of '
    'its own, the roles that own, serve and deploy it, default privileges, the database and what '
    'loads libraries into its sessions, each with a hash of what it is, who owns it and who has '
    'which right on it.';

CREATE FUNCTION rule.manifest_faults()
RETURNS text[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_now CONSTANT text := 'PostgreSQL ' || current_setting('server_version_num')::integer / 10000;
    v_was CONSTANT text := (SELECT m.object FROM store.manifest m
                            WHERE m.object ~ '^PostgreSQL [0-9]+$');
BEGIN
    RETURN ARRAY(
        SELECT format('deployed under %s, running under %s: run migrations/migrate', v_was, v_now)
         WHERE v_was <> v_now)
        || ARRAY(
        SELECT format('%s %s: %s, and ask who did that', coalesce(now.object, was.object),
                      CASE WHEN was.object IS NULL THEN 'was not deployed'
                           WHEN now.object IS NULL THEN 'is gone'
                           ELSE 'is not as it was deployed' END,
                      -- A deploy makes functions, types and views anew; of all else it would take
                      -- what it finds for meant.
                      CASE WHEN coalesce(now.object, was.object) ~ '^(function|type|view) '
                          THEN 'deploy with migrations/migrate'
                           ELSE 'undo it, or if it was meant deploy with migrations/migrate' END)
          FROM rule.manifest() AS now FULL JOIN store.manifest AS was ON was.object = now.object
         WHERE now.sha256 IS DISTINCT FROM was.sha256
           -- Under another version PostgreSQL's own functions are others, and it prints views
           -- otherwise.
           AND (v_was = v_now OR coalesce(now.object, was.object) !~ '^(PostgreSQL|view)[ '']')
           -- Of a month that was dropped, all that its partition had of its own is gone, too.
           AND NOT (now.object IS NULL AND was.object LIKE 'what partition % has of its own'
                    AND to_regclass(split_part(was.object, ' ', 3)) IS NULL)
         ORDER BY coalesce(now.object, was.object) COLLATE "C"
         LIMIT 5);
END
$$;
COMMENT ON FUNCTION rule.manifest_faults() IS
    'Lists what is not as the last deploy left it, five at most, each with its remedy; of another '
    'major version of PostgreSQL that it was deployed under, and of what a deploy does not make '
    'anew.';
