CREATE FUNCTION rule.session_faults()
RETURNS text[]
LANGUAGE sql STABLE
AS $$
    -- Without these PostgreSQL writes bind parameters, and so keys and payloads, to its log, or
    -- answers to temporary files; or does not do what functions rely on. (With row_security off it
    -- hides no rows but fails, which is no harm.)
    SELECT coalesce(array_agg(format('%s is %s: ALTER ROLE %I SET %s = %s', name,
                                     coalesce(present, 'not set'),
                                     session_user, name,
                                     CASE WHEN must_be LIKE '% %' THEN quote_literal(must_be)
                                         ELSE must_be END)
                              ORDER BY name), '{}')
           -- Where only the file of the server says it, ALTER SYSTEM and a reload change it in
           -- sessions that run.
           || ARRAY(SELECT
                    format('session_replication_role is not set for the role: ALTER ROLE %I SET '
                           'session_replication_role = origin', session_user)
                      FROM pg_settings s
                     WHERE s.name = 'session_replication_role' AND s.setting = 'origin'
                       AND s.source <> ALL ('{session,client,user,"database user",database}'))
      FROM (SELECT name, must_be, current_setting(name, true) AS present
              FROM (VALUES ('log_parameter_max_length', '0'),
                           ('log_parameter_max_length_on_error', '0'),
                           ('plan_cache_mode', 'force_generic_plan'),
                           ('pgaudit.log_parameter', 'off'),
                           ('auto_explain.log_parameter_max_length', '0'),
                           ('work_mem', '4096'),
                           ('client_min_messages', 'notice'),
                           -- A replica looks after no foreign key: what is purged would keep its
                           -- keys.
                           ('session_replication_role', 'origin'),
                           -- Who locks before he looks has to see what was committed while he
                           -- waited.
                           ('default_transaction_isolation', 'read committed'),
                           ('synchronous_commit', 'on')) AS wanted(name, must_be)) AS settings
     WHERE CASE name
               -- PostgreSQL 15 does not know it, and logs none
               WHEN 'auto_explain.log_parameter_max_length'
                   THEN current_setting('server_version_num')::integer >= 160000
                       AND present IS DISTINCT FROM must_be
               WHEN 'work_mem' THEN pg_size_bytes(present) < pg_size_bytes(must_be || 'kB')
               -- The daemon must hear the warning that a wait for a standby was cancelled.
               WHEN 'client_min_messages' THEN present = 'error'
               WHEN 'synchronous_commit' THEN present NOT IN (must_be, 'remote_apply')
               ELSE present IS DISTINCT FROM CASE WHEN present = '0B' THEN must_be || 'B'
                   ELSE must_be END
           END
$$;
COMMENT ON FUNCTION rule.session_faults() IS
    'Lists the settings of this session that are not as they must be, each with the statement '
    'that mends it.';

CREATE FUNCTION rule.session_pin()
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    -- A session that says so itself does not follow the role, the database, the server, nor a
    -- reload of its file.
    PERFORM set_config(name, value, false)
       FROM (VALUES ('default_transaction_isolation', 'read committed'),
                    ('default_transaction_deferrable', 'off'),
                    ('idle_session_timeout', '0'),
                    ('standard_conforming_strings', 'on'),
                    ('transform_null_equals', 'off'),
                    ('array_nulls', 'on'),
                    ('quote_all_identifiers', 'off'),
                    ('DateStyle', 'ISO, MDY'),
                    ('IntervalStyle', 'postgres'),
                    ('TimeZone', 'UTC'),
                    ('bytea_output', 'hex'),
                    ('extra_float_digits', '1'),
                    ('plpgsql.extra_errors', 'none')) AS pinned(name, value);
    -- The planner has all its ways, whatever was switched off to try something. What one costs is
    -- the DBA's to say.
    PERFORM set_config(s.name, s.boot_val, false)
       FROM pg_settings s
      WHERE (starts_with(s.name, 'enable_')
             OR s.name IN ('from_collapse_limit', 'join_collapse_limit', 'force_parallel_mode',
                           'debug_parallel_query', 'constraint_exclusion'))
        AND s.context = 'user' AND s.setting <> s.boot_val;
END
$$;
COMMENT ON FUNCTION rule.session_pin() IS
    'Sets for this session what any role may set and what changes how statements are read, run '
    'and answered. rule.session_faults lists the rest.';

CREATE FUNCTION rule.session_require_plain()
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    -- Who waits for a lock has to see what was committed meanwhile. A session of its own SET cannot
    -- be mended from here.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM fail.operation_refused(format('the transaction is %s',
                                              current_setting('transaction_isolation')),
                                       'BEGIN ISOLATION LEVEL READ COMMITTED');
    ELSIF current_setting('session_replication_role') <> 'origin' THEN
        PERFORM fail.operation_refused(
            format('session_replication_role is %s, and no foreign key is looked after',
                   current_setting('session_replication_role')),
            'SET session_replication_role = origin');
    END IF;
END
$$;
COMMENT ON FUNCTION rule.session_require_plain() IS
    'Refuses a transaction of another isolation level than read committed, and a session in which '
    'triggers and foreign keys do nothing.';
