-- Every function and table of ours, as the catalogue has it.
BEGIN;
SET client_min_messages = warning;
SET search_path = tap, pg_catalog;
SELECT no_plan();

CREATE TEMP VIEW function AS
SELECT p.oid::regprocedure::text AS name, n.nspname AS schema, p.*, l.lanname AS language
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l
       ON l.oid = p.prolang
 WHERE n.nspname IN ('fail', 'rule', 'endpoint', 'job', 'api', 'daemon', 'operator', 'auditor');

SELECT is(array_agg(DISTINCT schema::text ORDER BY schema::text),
          '{api,auditor,daemon,endpoint,fail,job,operator,rule}', 'there are functions to look at')
              FROM function;

SELECT results_eq($$SELECT name FROM function WHERE proowner = 'coffer_owner'::regrole
                  AND schema <> 'auditor'
                     ORDER BY name COLLATE "C"$$,
                  $$VALUES ('daemon.audit_state()'), ('daemon.epoch_begin(jsonb)'),
                      ('daemon.seen_faults(jsonb)'), ('job.audit_partition_create(integer)'),
                           ('job.audit_seal(bigint)'), ('operator.audit_drop_month(date)'),
                           ('operator.audit_epoch_begin(text)'),
                               ('operator.audit_export_month(date)'),
                           ('operator.audit_export_seals(date)')$$,
                  'coffer_owner owns the functions that read the audit or handle its partitions');
SELECT is_empty($$SELECT name, proowner::regrole FROM function
                   WHERE proowner <> CASE WHEN schema = 'auditor' THEN 'coffer_owner'::regrole
                         ELSE 'coffer_exec' END
                     AND proowner <> 'coffer_owner'::regrole$$,
                'and those for auditors; coffer_exec owns all others');
SELECT is_empty($$SELECT name FROM function
                   WHERE prosecdef <> (schema IN ('api', 'job', 'daemon', 'operator', 'auditor'))$$,
                'entry points run as their owner, all others as their caller');
SELECT is_empty($$SELECT name, proconfig FROM function WHERE prosecdef AND proconfig IS DISTINCT
                    FROM '{"search_path=pg_catalog, pg_temp"}'$$,
                'entry points fix their search_path, and pg_temp comes last');
SELECT set_eq('SELECT name, proconfig::text FROM function WHERE NOT prosecdef AND proconfig IS NOT '
              'NULL',
              $$VALUES ('rule.list_all(uuid[],text,rule.argument)', '{enable_sort=off}'),
                       ('rule.audit_bytes(audit.event)', '{client_encoding=UTF8}'),
                       ('rule.manifest()',
                        '{quote_all_identifiers=off,"DateStyle=ISO, MDY",IntervalStyle=postgres,'
                        'TimeZone=UTC,bytea_output=hex,extra_float_digits=1}')$$,
              'no other function sets anything, but for the one that must not sort, and those '
              'that print what is hashed');
SELECT is_empty($$SELECT name FROM function
                   WHERE proacl IS NULL
                     OR EXISTS (SELECT FROM aclexplode(proacl) WHERE grantee = 0)$$,
                'PUBLIC may execute none');
SELECT is_empty($$SELECT name, obj_description(oid) FROM function
                   WHERE coalesce(obj_description(oid), '') !~ '^[A-Z].*[.]$'$$,
                'each has a comment that is a sentence');
SELECT is_empty($$SELECT name FROM function WHERE language NOT IN ('sql', 'plpgsql')$$,
                'all are in SQL or PL/pgSQL');
SELECT is_empty($$SELECT name FROM function WHERE proleakproof OR proparallel <> 'u'$$,
                'none promises what nobody has looked at');
SELECT is_empty($$SELECT name, provolatile FROM function WHERE schema IN ('api', 'endpoint', 'fail')
                     AND provolatile <> 'v'$$,
                'API functions, endpoint functions and refusals are volatile: they are for what '
                'they do');
SELECT is_empty($$SELECT name FROM function
                   WHERE provolatile = 'i'
                     AND prosrc ~* '\m((store|audit)[.]|(now|clock_timestamp|current_setting|'
                                   'setting|gen_random_[a-z]+)\M *[(])'$$,
                'what is immutable looks at no table, clock, setting or random number');
-- It words statements.
SELECT is_empty($$SELECT name FROM function WHERE provolatile <> 'v' AND name <> 'rule.orphans()'
                     AND prosrc ~*
                         '\m(insert into|update +[a-z]+[.]|delete from|for update|nextval)\M'$$,
                'what is not volatile changes nothing');
SELECT is_empty($$SELECT name FROM function WHERE schema <> 'fail' AND prosrc ~* '\mraise\M'$$,
                'only schema fail raises');
SELECT is_empty($$SELECT name FROM function WHERE prosrc ~* 'when +others'$$,
                'no exception is caught by any name');
SELECT is_empty($$SELECT name FROM function WHERE prosrc ~* '\mexecute\M'
                     AND name NOT IN ('job.audit_partition_create(integer)',
                                      'operator.audit_drop_month(date)', 'rule.orphans()',
                                      'rule.manifest_builtin()', 'rule.manifest_added(oid[])')$$,
                'only partitions are made and dropped, foreign keys checked, and catalogues '
                'read, by dynamic SQL');
SELECT is_empty($$SELECT name FROM function WHERE prosrc ~ '\mcrypto[.]'
                     AND proname NOT IN ('crypto_encrypt', 'crypto_decrypt', 'crypto_dek')$$,
                'only encryption and decryption use pgcrypto');
SELECT is_empty($$SELECT name FROM function WHERE schema = 'operator' AND provolatile = 'v'
                     AND prosrc !~
                         'audit_write_(operator|job)\([^;]*(jsonb_build_object|v_detail)'$$,
                'what an operator does is audited with what he gave');
SELECT is_empty($$SELECT name FROM function
                WHERE prosrc ~* '(to_ts|plainto_ts|phraseto_ts|websearch_to_ts|\mts_|@@)'$$,
                'none uses text search, whose parsers and dictionaries are no part of the '
                'manifest');
SELECT is_empty($$SELECT name FROM function WHERE schema = 'endpoint'
                     AND (proargnames[1:2] <> '{caller,request}'
                          OR NOT proargnames <@ '{caller,request,key,data}'
                          OR prorettype <> 'rule.outcome'::regtype)$$,
                'endpoints take caller and request and, if they need them, key and data');


-- Stored things ----------------------------------------------------------------------------------

SELECT job.audit_partition_create(14) AS made \gset
SELECT is(:made, 2, 'partitions are made');
SELECT is_empty($$SELECT c.oid::regclass, c.relreplident FROM pg_class c
                   WHERE c.relkind IN ('r', 'p')
                     AND c.relnamespace IN ('store'::regnamespace, 'audit'::regnamespace)
                     AND NOT (c.relreplident = 'f' OR c.relreplident = 'd' AND EXISTS
                                  (SELECT FROM pg_index i WHERE i.indrelid = c.oid
                                   AND i.indisprimary))$$,
                'each table, and each partition, has a replica identity');

SELECT finish();
ROLLBACK;
