-- Who may do what in the database.
BEGIN;
SET client_min_messages = warning;
SET search_path = tap, pg_catalog;
SELECT no_plan();

-- The objects that are not PostgreSQL's own or the tests'.
CREATE TEMP VIEW our_schema AS
SELECT oid, nspname AS name FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$|tap$)';
CREATE TEMP VIEW our_function AS
SELECT p.oid, p.oid::regprocedure::text AS name, s.name AS schema FROM pg_proc p
  JOIN our_schema s ON s.oid = p.pronamespace;
CREATE TEMP VIEW our_table AS
SELECT c.oid, c.oid::regclass::text AS name, s.name AS schema FROM pg_class c
  JOIN our_schema s ON s.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f');

-- Roles ----------------------------------------------------------------------------------------

SELECT set_eq($$SELECT format('%s%s', rolname, CASE WHEN rolcanlogin THEN ' logs in' END)
              FROM pg_roles
                 WHERE rolname LIKE 'coffer\_%'$$,
              ARRAY['coffer_api logs in', 'coffer_auditor logs in', 'coffer_exec',
                    'coffer_migrate logs in',
                    'coffer_operator logs in', 'coffer_owner'],
              'who owns tables and functions cannot log in');
SELECT is_empty($$SELECT rolname FROM pg_roles WHERE rolname LIKE 'coffer\_%'
                     AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication
                          OR rolbypassrls)$$,
                'no role can do more than its grants say');
SELECT set_eq($$SELECT format('%s in %s', member::regrole, roleid::regrole) FROM pg_auth_members
                 WHERE member::regrole::text LIKE 'coffer\_%'$$,
              '{coffer_migrate in coffer_exec,coffer_migrate in coffer_owner}'::text[],
              'only who deploys is a member of owners');

-- Settings: PostgreSQL writes parameters, which are keys and payloads, to its log under others.
CREATE FUNCTION pg_temp.settings(role text) RETURNS text[] LANGUAGE sql AS $$
    SELECT setconfig FROM pg_db_role_setting WHERE setrole = role::regrole AND setdatabase = 0
$$;
SELECT ok(pg_temp.settings('coffer_api') @> ARRAY[wanted], 'coffer_api has ' || wanted)
  FROM unnest(ARRAY['log_parameter_max_length=0', 'log_parameter_max_length_on_error=0',
                    'plan_cache_mode=force_generic_plan', 'debug_print_parse=off',
                        'debug_print_rewritten=off',
                    'debug_print_plan=off', 'log_min_duration_sample=-1',
                        'log_transaction_sample_rate=0',
                    'auto_explain.log_min_duration=-1', 'pgaudit.log=none',
                        'pgaudit.log_parameter=off',
                    'work_mem=4MB', 'synchronous_commit=on', 'statement_timeout=5s',
                        'lock_timeout=1s',
                    'idle_in_transaction_session_timeout=5s']) AS wanted;
SELECT ok(pg_temp.settings('coffer_operator') @> ARRAY[wanted], 'coffer_operator has ' || wanted)
  FROM unnest(ARRAY['log_parameter_max_length=0', 'log_parameter_max_length_on_error=0',
                    'plan_cache_mode=force_generic_plan', 'pgaudit.log_parameter=off',
                    'debug_print_parse=off', 'debug_print_rewritten=off', 'debug_print_plan=off',
                    'work_mem=4MB']) AS wanted;

-- Functions --------------------------------------------------------------------------------------

SELECT set_eq($$SELECT name FROM our_function
              WHERE has_function_privilege('coffer_api', oid, 'EXECUTE')$$,
              $$SELECT name FROM our_function WHERE schema IN ('api', 'daemon', 'job')$$,
              'coffer_api can execute API functions, jobs and what the daemon calls, and nothing '
              'else');
SELECT set_eq($$SELECT name FROM our_function
                 WHERE has_function_privilege('coffer_operator', oid, 'EXECUTE')$$,
              $$SELECT name FROM our_function
                 WHERE schema IN ('operator', 'job') OR name LIKE 'daemon.pepper\_%'
                    OR name LIKE 'daemon.kek\_keep(%'$$,
              'coffer_operator can execute what is the operator''s, jobs and what a new API key '
              'and a restored secret need, and nothing else');
SELECT is_empty($$SELECT name FROM our_function
                WHERE has_function_privilege('coffer_auditor', oid, 'EXECUTE')
                     AND schema <> 'auditor'$$, 'coffer_auditor can execute nothing');
SELECT is_empty($$SELECT name FROM our_function
                WHERE has_function_privilege('public', oid, 'EXECUTE')$$,
                'PUBLIC can execute nothing');
SELECT is_empty($$SELECT oid::regprocedure FROM pg_proc
                WHERE pronamespace = 'pg_catalog'::regnamespace
                     AND proname ~ '^lo(_|read$|write$)'
                     AND has_function_privilege('coffer_api', oid, 'EXECUTE')$$,
                'large objects are out of reach');
SELECT set_eq($$SELECT name FROM our_function WHERE schema = 'crypto'
                   AND has_function_privilege('coffer_exec', oid, 'EXECUTE')$$,
              $$SELECT name FROM our_function WHERE schema = 'crypto'$$,
                  'coffer_exec can use pgcrypto');
SELECT isnt_empty($$SELECT name FROM our_function WHERE schema = 'crypto'$$, 'which is there');

-- Schemas, tables, sequences ---------------------------------------------------------------------

SELECT set_eq($$SELECT format('%s %s', role, name) FROM our_schema,
                       unnest('{public,coffer_api,coffer_operator,coffer_auditor}'::text[]) AS role
                 WHERE has_schema_privilege(role, oid, 'USAGE')$$,
              ARRAY['coffer_api api', 'coffer_api daemon', 'coffer_api job',
                    'coffer_operator operator',
                    'coffer_operator daemon', 'coffer_operator job', 'coffer_auditor auditor'],
              'who can look into which schema');
SELECT is_empty($$SELECT role, name FROM our_schema,
                         unnest('{public,coffer_api,coffer_operator,coffer_auditor}'::text[])
                             AS role
                   WHERE has_schema_privilege(role, oid, 'CREATE')$$,
                'nobody who logs in to use the service can create anything');
SELECT is_empty($$SELECT role
                    FROM unnest('{public,coffer_api,coffer_operator,coffer_auditor,'
                                'coffer_exec}'::text[]) AS role
                   WHERE has_database_privilege(role, current_database(), 'CREATE, TEMP')$$,
                'not even a schema or a temporary table');
SELECT is_empty($$SELECT role, name FROM our_table,
                         unnest('{public,coffer_api,coffer_operator,coffer_auditor}'::text[])
                             AS role
                   WHERE has_any_column_privilege(role, oid, 'SELECT, INSERT, UPDATE, REFERENCES')
                     AND NOT (role = 'coffer_auditor' AND schema = 'auditor')
                     AND NOT (role = 'coffer_operator' AND schema = 'operator')
                      OR has_table_privilege(role, oid, 'DELETE, TRUNCATE, TRIGGER')$$,
                'or read or change any table or view');
SELECT set_eq($$SELECT name FROM our_table
              WHERE has_table_privilege('coffer_auditor', oid, 'SELECT')$$,
              $$SELECT name FROM our_table WHERE schema = 'auditor'$$,
              'but the auditor reads what is the auditor''s');
SELECT isnt_empty($$SELECT name FROM our_table WHERE schema = 'auditor'$$, 'which is there');
SELECT set_eq($$SELECT name FROM our_table
              WHERE has_table_privilege('coffer_operator', oid, 'SELECT')$$,
              $$SELECT name FROM our_table WHERE schema = 'operator'$$,
              'and the operator what is the operator''s');
SELECT is_empty($$SELECT name FROM our_table
                   WHERE name = 'store.manifest'
                     AND has_any_column_privilege('coffer_exec', oid, 'INSERT, UPDATE')$$,
                'what runs cannot change the record of what was deployed');
SELECT is_empty($$SELECT oid::regclass FROM pg_class,
                         unnest('{public,coffer_api,coffer_operator,coffer_auditor}'::text[])
                             AS role
                   WHERE relkind = 'S' AND relnamespace IN (SELECT oid FROM our_schema)
                     AND has_sequence_privilege(role, oid, 'USAGE, SELECT, UPDATE')$$,
                         'nor use a sequence');

-- coffer_exec: what runs -------------------------------------------------------------------------

SELECT is_empty($$SELECT name FROM our_table WHERE schema = 'audit'
                AND name::text NOT IN ('audit.epoch', 'audit.seal')
                     AND (has_any_column_privilege('coffer_exec', oid, 'SELECT, UPDATE, REFERENCES')
                          OR has_table_privilege('coffer_exec', oid,
                                                 'DELETE, TRUNCATE, TRIGGER'))$$,
                'what runs can neither read nor change the audit');
SELECT is(ARRAY(SELECT attname::text FROM pg_attribute
                 WHERE attrelid = 'audit.seal'::regclass AND attnum > 0
                   AND has_column_privilege('coffer_exec', attrelid, attnum, 'UPDATE') ORDER BY 1),
          '{anchored_at,instance,signature,signer,taken_at}',
              'of a seal it can sign and note, but not what is sealed');
SELECT set_eq($$SELECT name FROM our_table WHERE schema = 'audit'
                   AND has_table_privilege('coffer_exec', oid, 'INSERT')$$, '{audit.event}'::text[],
              'only add to it, and not to a partition alone');
SELECT is_empty($$SELECT name FROM our_table WHERE schema IN ('store', 'audit')
                     AND has_table_privilege('coffer_exec', oid, 'TRUNCATE, TRIGGER, REFERENCES')$$,
                'it cannot truncate anything');
SELECT set_eq($$SELECT name FROM our_table WHERE schema = 'store'
                   AND has_table_privilege('coffer_exec', oid, 'DELETE')$$,
              '{store.dek,store.instance,store.kek,store.managed_key,store.policy,store.project,'
              'store.request,store.secret,store.version}'::text[],
              'or delete what is not to be deleted');
SELECT is_empty($$SELECT attrelid::regclass, attname FROM pg_attribute
                   WHERE (attrelid, attname) IN (('store.version'::regclass, 'sealed'),
                                                 ('store.dek'::regclass, 'secret_id'),
                                                 ('store.dek'::regclass, 'revision'),
                                                 ('store.kek'::regclass, 'project_id'),
                                                 ('store.api_key'::regclass, 'digest'),
                                                 ('store.api_key'::regclass, 'principal_id'),
                                                 ('store.principal'::regclass, 'organization_id'),
                                                 ('store.secret'::regclass, 'organization_id'),
                                                 ('store.secret'::regclass, 'project_id'),
                                                 ('store.secret'::regclass, 'type'),
                                                 ('store.policy_rule'::regclass, 'permission_set'))
                     AND has_column_privilege('coffer_exec', attrelid, attnum, 'UPDATE')$$,
                'or change a value, or what a row belongs to');
SELECT is_empty($$SELECT name FROM our_table WHERE name = 'store.migration'
                     AND has_any_column_privilege('coffer_exec', oid, 'INSERT, UPDATE')$$,
                'or the record of migrations');

-- As somebody tries ------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.tried(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('role', role, true);
    EXECUTE statement;
    RESET ROLE;
    RETURN 'done';
EXCEPTION
    WHEN insufficient_privilege THEN
        RETURN 'denied';
END
$$;
SELECT is(pg_temp.tried(role, statement), 'denied', format('%s cannot: %s', role, statement))
  FROM (VALUES ('coffer_api', 'SELECT FROM store.secret'),
        ('coffer_api', 'SELECT FROM store.api_key'),
               ('coffer_api', 'SELECT FROM audit.event'),
               ('coffer_api', 'INSERT INTO audit.event (id) VALUES (1)'),
               ('coffer_api', 'CREATE TABLE public.t ()'), ('coffer_api', 'CREATE TEMP TABLE t ()'),
               ('coffer_api', 'CREATE SCHEMA s'),
               ('coffer_api', 'CREATE FUNCTION api.f() RETURNS void LANGUAGE sql AS $f$ $f$'),
               ('coffer_api', $$SELECT crypto.gen_random_bytes(1)$$),
               ('coffer_api', $$SELECT endpoint.secret_get(NULL, NULL)$$),
               ('coffer_api', $$SELECT rule.caller_require(NULL)$$),
               ('coffer_api', $$SELECT operator.organization_create('mine')$$),
               ('coffer_api', $$SELECT lo_create(0)$$),
               ('coffer_operator', 'SELECT FROM store.api_key'),
               ('coffer_operator', 'SELECT api.secret_list(NULL, NULL, NULL, NULL)'),
               ('coffer_operator', 'SELECT FROM audit.event'),
               ('coffer_operator', 'SELECT FROM auditor.event'),
               ('coffer_auditor', 'SELECT FROM store.secret'),
                   ('coffer_auditor', 'SELECT FROM audit.event'),
               ('coffer_auditor', 'SELECT operator.secret_lock(NULL)'),
               ('coffer_auditor', 'DELETE FROM auditor.event'),
               ('coffer_exec', 'SELECT FROM audit.event'),
               ('coffer_exec', $$UPDATE audit.event SET status = 200$$),
               ('coffer_exec', 'DELETE FROM audit.event'),
               ('coffer_exec', 'TRUNCATE audit.event'),
               ('coffer_exec', $$SELECT setval('audit.event_id', 1)$$)) AS t(role, statement);
SELECT is(pg_temp.tried('coffer_auditor', 'SELECT FROM auditor.event'), 'done',
          'coffer_auditor can: SELECT FROM auditor.event');

SELECT finish();
ROLLBACK;
