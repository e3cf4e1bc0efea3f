-- What a DBA may declare to a deploy by migrations/local.sql, beside what Coffer makes itself.

CREATE FUNCTION rule.local_columns_secret(relation oid)
RETURNS smallint[]
LANGUAGE sql STABLE
AS $$
    -- Keys, values and digests, encrypted or not.
    SELECT ARRAY(SELECT a.attnum FROM pg_attribute a
                  WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
                    AND a.atttypid = 'bytea'::regtype
                    AND relation::regclass::text ~ '^store[.]'
                    AND relation <> 'store.manifest'::regclass)
$$;
COMMENT ON FUNCTION rule.local_columns_secret(oid) IS
    'Gives the columns of a table that hold keys, values or digests.';

CREATE FUNCTION rule.local_rights()
RETURNS TABLE (name text, allowed boolean)
LANGUAGE sql STABLE
AS $$
    -- Of a table or column, others may read what holds no key, value or digest; and they may see
    -- the names in a schema of tables.
    SELECT format('%s%s on %s to %s%s', r.privilege, ' (' || r.attname || ')', r.object,
                  coalesce(g.rolname::text, 'PUBLIC'),
                  CASE WHEN r.is_grantable THEN ' with grant option' END),
           g.rolname IS NOT NULL AND NOT starts_with(g.rolname, 'coffer_') AND NOT r.is_grantable
               AND r.harmless
      FROM (SELECT c.oid::regclass::text AS object, NULL::name AS attname,
                   e.privilege_type AS privilege, e.grantee, e.is_grantable,
                   e.privilege_type = 'SELECT' AND rule.local_columns_secret(c.oid) = '{}'
                       AND c.relkind IN ('r', 'p') AS harmless
              FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) AS e
             WHERE c.relnamespace = ANY ('{store,audit,fail,rule,endpoint,job,api,daemon,operator,'
                                         'auditor,crypto}'::regnamespace[])
               AND e.grantee <> c.relowner
            UNION ALL
            SELECT c.oid::regclass::text, a.attname, e.privilege_type, e.grantee, e.is_grantable,
                   e.privilege_type = 'SELECT' AND c.relkind IN ('r', 'p')
                       AND a.attnum <> ALL (rule.local_columns_secret(c.oid))
              FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
             CROSS JOIN LATERAL aclexplode(a.attacl) AS e
             WHERE c.relnamespace = ANY ('{store,audit,rule,auditor,operator}'::regnamespace[])
               AND e.grantee <> c.relowner
            UNION ALL
            SELECT 'schema ' || n.nspname, NULL, e.privilege_type, e.grantee, e.is_grantable,
                   e.privilege_type = 'USAGE' AND n.nspname IN ('store', 'audit')
              FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) AS e
             WHERE n.oid = ANY ('{store,audit,fail,rule,endpoint,job,api,daemon,operator,auditor,'
                                'crypto}'::regnamespace[])
               AND e.grantee <> n.nspowner
           ) AS r
      LEFT JOIN pg_roles g ON g.oid = r.grantee
$$;
COMMENT ON FUNCTION rule.local_rights() IS
    'Gives each right that is given on tables, columns and schemas of Coffer, and whether '
    'migrations/local.sql may give it.';

CREATE FUNCTION rule.local_indexes()
RETURNS TABLE (name text, allowed boolean)
LANGUAGE sql STABLE
AS $$
    -- One that checks nothing, and calls no function of others when a row is written.
    SELECT format('index %s on %s', i.indexrelid::regclass,
                  regexp_replace(pg_get_indexdef(i.indexrelid), '^.* ON (ONLY )?', '')),
           NOT i.indisunique AND NOT i.indisexclusion AND i.indexprs IS NULL AND i.indpred IS NULL
               AND NOT i.indkey::smallint[] && rule.local_columns_secret(i.indrelid)
               AND NOT EXISTS (SELECT FROM pg_opclass o WHERE o.oid = ANY (i.indclass::oid[])
                                  AND o.opcnamespace <> 'pg_catalog'::regnamespace)
      FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
     WHERE c.relnamespace = ANY ('{store,audit}'::regnamespace[])
$$;
COMMENT ON FUNCTION rule.local_indexes() IS
    'Gives each index of Coffer''s tables, and whether migrations/local.sql may make it.';

CREATE FUNCTION rule.local_state()
RETURNS TABLE (name text, told text, allowed boolean)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN QUERY
        SELECT r.name, '', bool_and(r.allowed)
          FROM (SELECT * FROM rule.local_rights() UNION ALL SELECT * FROM rule.local_indexes()) AS r
         GROUP BY r.name
        UNION ALL
        -- What stands behind a constraint or a trigger of PostgreSQL itself is told with it.
        SELECT format('trigger %s on %s', t.tgname, t.tgrelid::regclass),
               concat_ws(' ', t.tgenabled, pg_get_triggerdef(t.oid)), false
          FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
         WHERE c.relnamespace = ANY ('{store,audit}'::regnamespace[])
        UNION ALL
        SELECT format('rule %s on %s', w.rulename, w.ev_class::regclass),
               concat_ws(' ', w.ev_enabled, pg_get_ruledef(w.oid)), false
          FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class
         WHERE c.relnamespace = ANY ('{store,audit}'::regnamespace[])
        UNION ALL
        SELECT format('policy %s on %s', p.polname, p.polrelid::regclass), '', false
          FROM pg_policy p
        UNION ALL
        SELECT format('constraint %s on %s', k.conname, k.conrelid::regclass),
               pg_get_constraintdef(k.oid), false
          FROM pg_constraint k WHERE k.connamespace = ANY ('{store,audit}'::regnamespace[])
        UNION ALL
        -- Of a table the rest: rights, and parts that are told above, change its hash as well.
        SELECT CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'S' THEN 'sequence ' WHEN 'c' THEN 'type '
                   ELSE 'table ' END || c.oid::regclass,
               concat_ws(' ', c.relowner::regrole, c.relkind, c.relpersistence, c.relrowsecurity,
                         c.relforcerowsecurity, c.relam,
                         CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END,
                         (SELECT string_agg(concat_ws(' ', a.attname,
                                                      format_type(a.atttypid, a.atttypmod),
                                                      a.attnotnull, a.attgenerated, a.attidentity,
                                                      pg_get_expr(d.adbin, c.oid)), ','
                                            ORDER BY a.attnum)
                            FROM pg_attribute a
                            LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid
                                                  AND d.adnum = a.attnum
                           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)), false
          FROM pg_class c
         WHERE c.relnamespace = ANY ('{store,audit,fail,rule,endpoint,job,api,daemon,operator,'
                                     'auditor,crypto}'::regnamespace[])
           AND c.relkind <> ALL ('{i,I}')
        UNION ALL
        -- Functions with their rights, roles, default privileges, casts, event triggers.
        SELECT m.object, encode(m.sha256, 'hex'), false
          FROM rule.manifest() AS m
         WHERE m.object !~ '^(table|view|sequence|type|schema|what partition) ';
END
$$;
COMMENT ON FUNCTION rule.local_state() IS
    'Gives all that migrations/local.sql could change: its name, what is told of it, and whether '
    'local.sql may make it.';

CREATE FUNCTION rule.local_before()
RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (SELECT jsonb_object_agg(s.name, md5(s.told)) FROM rule.local_state() AS s);
END
$$;
COMMENT ON FUNCTION rule.local_before() IS
    'Gives what is there before migrations/local.sql runs, for rule.local_require.';

CREATE FUNCTION rule.local_require(before jsonb)
RETURNS SETOF text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_refused text;
BEGIN
    SELECT string_agg(concat(coalesce(s.name, was.key),
                             CASE WHEN s.name IS NULL THEN ': is gone'
                                  WHEN was.key IS NOT NULL THEN ': is not as it was' END), E'\n'
                      ORDER BY coalesce(s.name, was.key) COLLATE "C")
      INTO v_refused
      FROM rule.local_state() AS s
      FULL JOIN jsonb_each_text(before) AS was ON was.key = s.name
     WHERE md5(s.told) IS DISTINCT FROM was.value
       -- A right that was given may be taken back.
       AND CASE WHEN s.name IS NULL
           THEN was.key !~ '^[A-Z]+( [(][^)]+[)])? on .* to (?!coffer_)[^ ]+$'
                AND was.key !~ '^index ' ELSE NOT s.allowed END;
    IF v_refused IS NOT NULL THEN
        PERFORM fail.operation_refused(E'local.sql may not change this:\n' || v_refused,
            'it may give other roles SELECT on what holds no key, value or digest, and USAGE on '
            'store and audit, and make plain indexes');
    END IF;
    RETURN QUERY SELECT s.name FROM rule.local_state() AS s
                  WHERE s.allowed AND NOT before ? s.name ORDER BY s.name COLLATE "C";
END
$$;
COMMENT ON FUNCTION rule.local_require(jsonb) IS
    'Refuses what migrations/local.sql has changed and may not, by name; gives the names of what '
    'it has made.';
