-- The settings that a session of the daemon must have.
BEGIN;
\ir ../raised.sql
\ir ../session.sql

SELECT is(rule.session_faults(), '{}', 'a session with all settings as they must be has no fault');

CREATE FUNCTION test.faults_with(name text, value text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    v_before CONSTANT text := current_setting(name);
    v_faults text[];
BEGIN
    PERFORM set_config(name, value, true);
    v_faults := rule.session_faults();
    PERFORM set_config(name, v_before, true);
    RETURN v_faults;
END
$$;

SELECT is(faults_with(name,
                      value), ARRAY[format('%s is %s: ALTER ROLE postgres SET %s = %s', name, shown,
                                           name,
                                           must_be)],
          format('%s = %s is a fault, with its remedy', name, value))
  FROM (VALUES ('log_parameter_max_length', '-1', '-1', '0'),
        ('log_parameter_max_length', '1', '1B', '0'),
               ('log_parameter_max_length_on_error', '-1', '-1', '0'),
               ('plan_cache_mode', 'auto', 'auto', 'force_generic_plan'),
               ('pgaudit.log_parameter', 'on', 'on', 'off'),
               ('work_mem', '64kB', '64kB', '4096'), ('work_mem', '4095', '4095kB', '4096'),
               ('client_min_messages', 'error', 'error', 'notice'),
               ('session_replication_role', 'replica', 'replica', 'origin'),
               ('session_replication_role', 'local', 'local', 'origin'),
               ('default_transaction_isolation', 'repeatable read', 'repeatable read',
                '''read committed'''),
               ('synchronous_commit', 'off', 'off', 'on'),
               ('synchronous_commit', 'local', 'local', 'on')) AS t(name, value, shown, must_be);
SELECT is(faults_with('auto_explain.log_parameter_max_length', '1'),
          CASE WHEN current_setting('server_version_num')::integer < 160000 THEN '{}'
               ELSE ARRAY['auto_explain.log_parameter_max_length is 1: '
                          'ALTER ROLE postgres SET auto_explain.log_parameter_max_length = 0'] END,
          'auto_explain.log_parameter_max_length = 1 is a fault where PostgreSQL knows it');
SELECT is(faults_with('synchronous_commit', 'remote_apply'), '{}',
          'synchronous_commit may be stricter');
SELECT is(faults_with('work_mem', value), '{}', 'work_mem may be ' || value)
  FROM unnest('{4MB,1GB,1TB}'::text[]) AS value;
SELECT is(faults_with('client_min_messages', 'warning'), '{}',
          'client_min_messages may let warnings through alone');

RESET session_replication_role;
SELECT is(rule.session_faults(),
          '{"session_replication_role is not set for the role: ALTER ROLE postgres SET '
          'session_replication_role = origin"}',
          'a session that follows the file of the server, which a reload changes, has a fault');
SET LOCAL session_replication_role = origin;

-- What is pinned -----------------------------------------------------------------------------

SET LOCAL default_transaction_isolation = serializable;
SET LOCAL standard_conforming_strings = off;
SET LOCAL DateStyle = 'SQL, DMY';
SET LOCAL IntervalStyle = iso_8601;
SET LOCAL TimeZone = 'Asia/Kolkata';
SET LOCAL bytea_output = escape;
SET LOCAL quote_all_identifiers = on;
SET LOCAL extra_float_digits = -15;
SET LOCAL transform_null_equals = on;
SET LOCAL array_nulls = off;
SET LOCAL idle_session_timeout = '1h';
SET LOCAL default_transaction_deferrable = on;
SET LOCAL plpgsql.extra_errors = 'all';
SELECT rule.session_pin();
SELECT results_eq(
    $$SELECT name COLLATE "C", current_setting(name)
        FROM unnest('{DateStyle,IntervalStyle,TimeZone,array_nulls,bytea_output,
        default_transaction_deferrable,default_transaction_isolation,extra_float_digits,
        idle_session_timeout,plpgsql.extra_errors,
        quote_all_identifiers,standard_conforming_strings,transform_null_equals}'::text[]) AS name
            ORDER BY 1$$,
    $$VALUES ('DateStyle' COLLATE "C", 'ISO, MDY'), ('IntervalStyle', 'postgres'),
        ('TimeZone', 'UTC'), ('array_nulls', 'on'),
             ('bytea_output', 'hex'), ('default_transaction_deferrable', 'off'),
                 ('default_transaction_isolation', 'read committed'),
             ('extra_float_digits', '1'), ('idle_session_timeout', '0'),
                 ('plpgsql.extra_errors', 'none'),
             ('quote_all_identifiers', 'off'), ('standard_conforming_strings', 'on'),
                 ('transform_null_equals', 'off')$$,
    'what changes how statements are read, run and answered is set for the session');

SELECT set_config(name, 'off', true) FROM pg_settings WHERE name LIKE 'enable\_%' \g /dev/null
SET LOCAL random_page_cost = 1.25;
SET LOCAL join_collapse_limit = 1;
SELECT rule.session_pin();
SELECT is_empty($$SELECT name, setting FROM pg_settings WHERE setting <> boot_val
                     AND (name LIKE 'enable\_%' OR name = 'join_collapse_limit')$$,
                'the planner has all its ways');
SELECT is(current_setting('random_page_cost'), '1.25', 'and the costs that the DBA has set');

-- What is refused ----------------------------------------------------------------------------

SELECT lives_ok('SELECT rule.session_require_plain()', 'a plain session may do everything');
SET LOCAL session_replication_role = replica;
SELECT throws_ok('SELECT rule.session_require_plain()', 'SM900',
                 'session_replication_role is replica, and no foreign key is looked after',
                 'rule.session_require_plain refuses a session without foreign keys (SM900)');
SET LOCAL session_replication_role = origin;

SELECT finish();
ROLLBACK;
