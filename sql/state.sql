-- What a deploy makes anew, and who may do what, in one hash as psql's variable state: every
-- function, type and view of these files with owner, rights and comment, and the rights on what is
-- stored.
SELECT sha256(convert_to(string_agg(concat_ws(' ', object.*), E'\n'
                                    ORDER BY object::text COLLATE "C"), 'UTF8')) AS state
  FROM (SELECT pg_get_functiondef(p.oid), p.proowner::regrole, p.proacl::text,
               obj_description(p.oid, 'pg_proc')
          FROM pg_catalog.pg_proc p
         WHERE p.pronamespace
             = ANY ('{fail,rule,endpoint,job,api,daemon,operator,auditor}'::regnamespace[])
        UNION ALL
        SELECT concat_ws(' ', c.oid::regclass, c.relkind, c.reloptions,
                         (SELECT string_agg(concat_ws(' ', a.attname,
                                                      format_type(a.atttypid, a.atttypmod),
                                                      a.attacl,
                                                      col_description(c.oid, a.attnum)), ','
                                            ORDER BY a.attnum)
                            FROM pg_catalog.pg_attribute a
                           WHERE a.attrelid = c.oid AND NOT a.attisdropped),
                         (SELECT string_agg(pg_get_ruledef(r.oid), ',' ORDER BY r.rulename)
                            FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid),
                         (SELECT string_agg(pg_get_triggerdef(t.oid), ',' ORDER BY t.tgname)
                            FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid)),
               c.relowner::regrole, concat_ws(' ', c.relacl, t.typacl),
               coalesce(obj_description(c.oid, 'pg_class'), obj_description(t.oid, 'pg_type'))
          FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_type t ON t.oid = c.reltype
         WHERE c.relnamespace
             = ANY ('{store,audit,fail,rule,endpoint,job,api,daemon,operator,'
                    'auditor}'::regnamespace[])
           AND c.relkind IN ('c', 'v', 'r', 'p', 'S') AND NOT c.relispartition
        UNION ALL
        SELECT n.nspname, n.nspowner::regrole, n.nspacl::text, NULL
          FROM pg_catalog.pg_namespace n
         WHERE n.oid
             = ANY ('{store,audit,fail,rule,endpoint,job,api,daemon,operator,'
                    'auditor}'::regnamespace[])) AS object
\gset
