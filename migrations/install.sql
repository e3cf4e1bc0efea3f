-- What a superuser runs once in the database that Coffer is to live in, before the first migrations/migrate:
--
--     psql -X --dbname=coffer --file=migrations/install.sql
--
-- Roles and their settings belong to the whole cluster, all else to this database. It can be run again at any time,
-- and in several databases of one cluster. Passwords, or another way to log in, are the DBA's to give.

\set QUIET on
\set ON_ERROR_STOP on
SET client_min_messages = warning;
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SET LOCAL standard_conforming_strings = on;
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;

-- Checks ---------------------------------------------------------------------
-- What follows changes roles and rights of others if they have these names, so nothing is done then.

DO $$
DECLARE
    v_roles  CONSTANT text[] := '{coffer_owner,coffer_exec,coffer_api,coffer_operator,coffer_auditor,coffer_migrate}';
    v_faults text;
BEGIN
    SELECT string_agg(fault.text, E'\n' ORDER BY fault.text)
      INTO v_faults
      FROM (SELECT format('PostgreSQL %s is too old, Coffer needs 15 or later', current_setting('server_version'))
             WHERE current_setting('server_version_num')::integer < 150000
            UNION ALL
            SELECT format('the database is encoded in %s, Coffer needs one with ENCODING ''UTF8''', current_setting('server_encoding'))
             WHERE current_setting('server_encoding') <> 'UTF8'
            UNION ALL
            SELECT format('%s is no superuser', current_user) WHERE current_setting('is_superuser') <> 'on'
            UNION ALL
            SELECT format('schema %I belongs to %I, Coffer needs a schema of this name', n.nspname, r.rolname)
              FROM pg_catalog.pg_namespace n
              JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
             WHERE n.nspname = ANY ('{store,audit,auditor,fail,rule,endpoint,job,api,daemon,operator,crypto}')
               AND CASE WHEN n.nspname = 'crypto' THEN NOT r.rolsuper ELSE r.rolname NOT IN ('coffer_owner', 'coffer_exec') END
            UNION ALL
            SELECT format('schema crypto holds %s, which is no part of pgcrypto', p.oid::regprocedure)
              FROM pg_catalog.pg_proc p
             WHERE p.pronamespace = to_regnamespace('crypto')
               AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
                                WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
                                  AND d.refclassid = 'pg_extension'::regclass AND e.extname = 'pgcrypto')
            UNION ALL
            SELECT format('pgcrypto is in schema %s, Coffer needs it in schema crypto', e.extnamespace::regnamespace)
              FROM pg_catalog.pg_extension e
             WHERE e.extname = 'pgcrypto' AND e.extnamespace IS DISTINCT FROM to_regnamespace('crypto')
            UNION ALL
            SELECT format('role %I has %s, Coffer''s role of this name has none of that', r.rolname,
                          concat_ws(', ', CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
                                    CASE WHEN r.rolcreatedb THEN 'CREATEDB' END, CASE WHEN r.rolreplication THEN 'REPLICATION' END,
                                    CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END))
              FROM pg_catalog.pg_roles r
             WHERE r.rolname = ANY (v_roles)
               AND (r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls)
            UNION ALL
            SELECT format('role %I owns %s, which is no part of Coffer', r.rolname, pg_describe_object(d.classid, d.objid, d.objsubid))
              FROM pg_catalog.pg_shdepend d
              JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid
              JOIN pg_catalog.pg_database b ON b.oid = d.dbid AND b.datname = current_database()
             WHERE d.deptype = 'o' AND r.rolname = ANY (v_roles) AND d.classid IN ('pg_class'::regclass, 'pg_proc'::regclass)
               AND coalesce((SELECT c.relnamespace FROM pg_catalog.pg_class c WHERE d.classid = 'pg_class'::regclass AND c.oid = d.objid),
                            (SELECT p.pronamespace FROM pg_catalog.pg_proc p WHERE d.classid = 'pg_proc'::regclass AND p.oid = d.objid))
                   NOT IN (SELECT n.oid FROM pg_catalog.pg_namespace n
                            WHERE n.nspname ~ '^pg_(toast|temp)'
                               OR n.nspname = ANY ('{store,audit,auditor,fail,rule,endpoint,job,api,daemon,operator}'))) AS fault(text);
    IF v_faults IS NOT NULL THEN
        RAISE EXCEPTION USING MESSAGE = v_faults,
            HINT = 'Nothing has been changed. Mend that, or give Coffer a database of its own: CREATE DATABASE coffer TEMPLATE template0 ENCODING ''UTF8''. '
                   'Roles belong to the whole cluster: rename one that is not Coffer''s.';
    END IF;
END
$$;

-- Roles ----------------------------------------------------------------------

SELECT format('CREATE ROLE %I', name)
  FROM unnest(ARRAY['coffer_owner', 'coffer_exec', 'coffer_api', 'coffer_operator', 'coffer_auditor', 'coffer_migrate']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = name)
\gexec

ALTER ROLE coffer_owner    NOLOGIN;
ALTER ROLE coffer_exec     NOLOGIN;
ALTER ROLE coffer_api      LOGIN;
ALTER ROLE coffer_operator LOGIN;
ALTER ROLE coffer_auditor  LOGIN;
ALTER ROLE coffer_migrate  LOGIN;

COMMENT ON ROLE coffer_owner    IS 'Owns Coffer''s tables.';
COMMENT ON ROLE coffer_exec     IS 'Owns Coffer''s functions and runs them.';
COMMENT ON ROLE coffer_api      IS 'What the Coffer daemon logs in as.';
COMMENT ON ROLE coffer_operator IS 'What a DBA uses to manage organizations, projects, principals and keys of Coffer.';
COMMENT ON ROLE coffer_auditor  IS 'What an auditor asks Coffer''s audit with.';
COMMENT ON ROLE coffer_migrate  IS 'What deploys Coffer.';

GRANT coffer_owner, coffer_exec TO coffer_migrate;

-- Role settings --------------------------------------------------------------
-- PostgreSQL writes parameters to its log under ordinary settings, and these are keys and payloads. A role's own settings
-- win over postgresql.conf and ALTER SYSTEM. The daemon looks at them when it connects, and does not serve without them.

-- In DETAIL of a logged statement, in CONTEXT of an error, to the log and to the client.
ALTER ROLE coffer_api SET log_parameter_max_length = 0;
ALTER ROLE coffer_api SET log_parameter_max_length_on_error = 0;
-- A custom plan holds parameters as constants, and a module that prints a plan prints them.
ALTER ROLE coffer_api SET plan_cache_mode = force_generic_plan;
ALTER ROLE coffer_api SET debug_print_parse = off;
ALTER ROLE coffer_api SET debug_print_rewritten = off;
ALTER ROLE coffer_api SET debug_print_plan = off;
ALTER ROLE coffer_api SET log_min_duration_sample = -1;
ALTER ROLE coffer_api SET log_transaction_sample_rate = 0;
-- Of modules that may not be loaded; then the setting waits for them.
ALTER ROLE coffer_api SET auto_explain.log_min_duration = -1;
ALTER ROLE coffer_api SET pgaudit.log = 'none';
ALTER ROLE coffer_api SET pgaudit.log_parameter = off;
SELECT 'ALTER ROLE coffer_api SET auto_explain.log_parameter_max_length = 0'
 WHERE current_setting('server_version_num')::integer >= 160000
\gexec
-- What does not fit goes to a temporary file, plaintext too: an answer that holds a payload of 64 KiB takes 88 kB.
ALTER ROLE coffer_api SET work_mem = '4MB';

-- The digest of a new API key passes here, and the payloads that `coffer restore` writes back.
ALTER ROLE coffer_operator SET log_parameter_max_length = 0;
ALTER ROLE coffer_operator SET log_parameter_max_length_on_error = 0;
ALTER ROLE coffer_operator SET plan_cache_mode = force_generic_plan;
ALTER ROLE coffer_operator SET debug_print_parse = off;
ALTER ROLE coffer_operator SET debug_print_rewritten = off;
ALTER ROLE coffer_operator SET debug_print_plan = off;
ALTER ROLE coffer_operator SET pgaudit.log_parameter = off;
SELECT 'ALTER ROLE coffer_operator SET auto_explain.log_parameter_max_length = 0'
 WHERE current_setting('server_version_num')::integer >= 160000
\gexec
ALTER ROLE coffer_operator SET work_mem = '4MB';

-- A verification of the audit has as long as it takes: a function cannot raise the limit of the
-- statement that calls it.
ALTER ROLE coffer_auditor SET statement_timeout = 0;
ALTER ROLE coffer_auditor SET lock_timeout = 0;
SELECT 'ALTER ROLE coffer_auditor SET transaction_timeout = 0'
 WHERE current_setting('server_version_num')::integer >= 170000
\gexec

-- A call is short. What takes longer has met trouble, and the caller is better told so.
ALTER ROLE coffer_api SET statement_timeout = '5s';
ALTER ROLE coffer_api SET lock_timeout = '1s';
ALTER ROLE coffer_api SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE coffer_api SET client_connection_check_interval = '1s';
ALTER ROLE coffer_api SET jit = off;
-- No answer before its audit row is on disk, whatever the cluster does elsewhere.
ALTER ROLE coffer_api SET synchronous_commit = on;
-- Who has waited for a lock has to see what was committed meanwhile.
ALTER ROLE coffer_api SET default_transaction_isolation = 'read committed';
ALTER ROLE coffer_operator SET default_transaction_isolation = 'read committed';
-- In a replica foreign keys do not cascade: what is purged would leave its versions and their keys behind. A setting of the
-- role also holds in sessions that run when ALTER SYSTEM and a reload change it.
ALTER ROLE coffer_api SET session_replication_role = origin;
ALTER ROLE coffer_operator SET session_replication_role = origin;
ALTER ROLE coffer_migrate SET session_replication_role = origin;
-- Connections of a pool rest.
ALTER ROLE coffer_api SET idle_session_timeout = 0;
SELECT 'ALTER ROLE coffer_api SET transaction_timeout = 0'
 WHERE current_setting('server_version_num')::integer >= 170000
\gexec

-- The database belongs to nobody but these ------------------------------------

SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()),
       format('GRANT CONNECT ON DATABASE %I TO coffer_api, coffer_operator, coffer_auditor, coffer_migrate', current_database())
\gexec
REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- Large objects are a way to store data without any right on a table.
SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', oid::regprocedure)
  FROM pg_catalog.pg_proc
 WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '^lo(_|read$|write$)'
\gexec

-- Functions are executable by everybody unless their owner says otherwise. Said for one schema it would have no effect.
ALTER DEFAULT PRIVILEGES FOR ROLE coffer_owner, coffer_exec REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- Schemas --------------------------------------------------------------------

CREATE SCHEMA IF NOT EXISTS store   AUTHORIZATION coffer_owner;
CREATE SCHEMA IF NOT EXISTS audit   AUTHORIZATION coffer_owner;
CREATE SCHEMA IF NOT EXISTS auditor AUTHORIZATION coffer_owner;

CREATE SCHEMA IF NOT EXISTS fail     AUTHORIZATION coffer_exec;
CREATE SCHEMA IF NOT EXISTS rule     AUTHORIZATION coffer_exec;
CREATE SCHEMA IF NOT EXISTS endpoint AUTHORIZATION coffer_exec;
CREATE SCHEMA IF NOT EXISTS job      AUTHORIZATION coffer_exec;
CREATE SCHEMA IF NOT EXISTS api      AUTHORIZATION coffer_exec;
CREATE SCHEMA IF NOT EXISTS daemon   AUTHORIZATION coffer_exec;
CREATE SCHEMA IF NOT EXISTS operator AUTHORIZATION coffer_exec;

COMMENT ON SCHEMA store    IS 'Tables: identities, keys, secrets.';
COMMENT ON SCHEMA audit    IS 'Events: who did what.';
COMMENT ON SCHEMA auditor  IS 'What an auditor asks.';
COMMENT ON SCHEMA fail     IS 'The refusals, and the only RAISEs.';
COMMENT ON SCHEMA rule     IS 'What endpoints share.';
COMMENT ON SCHEMA endpoint IS 'One function for each endpoint of the API.';
COMMENT ON SCHEMA job      IS 'What runs on a timer.';
COMMENT ON SCHEMA api      IS 'The API functions, one for each endpoint, made from one template.';
COMMENT ON SCHEMA daemon   IS 'What the daemon calls besides the API functions.';
COMMENT ON SCHEMA operator IS 'What a DBA calls.';

GRANT USAGE ON SCHEMA store, audit TO coffer_exec;
-- Who reads the audit, or makes and drops its partitions, is its owner, so the functions that do are the owner's.
GRANT USAGE, CREATE ON SCHEMA job, daemon, operator TO coffer_owner;
GRANT USAGE ON SCHEMA rule, fail, api TO coffer_owner;
GRANT USAGE ON SCHEMA auditor TO coffer_exec;

-- pgcrypto -------------------------------------------------------------------

CREATE SCHEMA IF NOT EXISTS crypto;
COMMENT ON SCHEMA crypto IS 'pgcrypto, for coffer_exec alone.';
CREATE EXTENSION IF NOT EXISTS pgcrypto SCHEMA crypto;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA crypto FROM PUBLIC;
GRANT USAGE ON SCHEMA crypto TO coffer_exec;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA crypto TO coffer_exec;

COMMIT;
