CREATE FUNCTION rule.session_faults()
RETURNS text[]
LANGUAGE sql STABLE
AS $$
    -- Without these PostgreSQL writes bind parameters, and so keys and payloads, to its log, or answers to temporary files;
    -- or does not do what functions rely on. (With row_security off it hides no rows but fails, which is no harm.)
    SELECT coalesce(array_agg(format('%s is %s: ALTER ROLE %I SET %s = %s', name, coalesce(present, 'not set'),
                                     session_user, name,
                                     CASE WHEN must_be LIKE '% %' THEN quote_literal(must_be) ELSE must_be END)
                              ORDER BY name), '{}')
      FROM (SELECT name, must_be, current_setting(name, true) AS present
              FROM (VALUES ('log_parameter_max_length', '0'),
                           ('log_parameter_max_length_on_error', '0'),
                           ('plan_cache_mode', 'force_generic_plan'),
                           ('pgaudit.log_parameter', 'off'),
                           ('auto_explain.log_parameter_max_length', '0'),
                           ('work_mem', '4096'),
                           ('client_min_messages', 'notice'),
                           -- A replica looks after no foreign key: what is purged would keep its keys.
                           ('session_replication_role', 'origin'),
                           -- Who locks before he looks has to see what was committed while he waited.
                           ('default_transaction_isolation', 'read committed'),
                           ('synchronous_commit', 'on')) AS wanted(name, must_be)) AS settings
     WHERE CASE name
               WHEN 'auto_explain.log_parameter_max_length'     -- PostgreSQL 15 does not know it, and logs none
                   THEN current_setting('server_version_num')::integer >= 160000 AND present IS DISTINCT FROM must_be
               WHEN 'work_mem' THEN pg_size_bytes(present) < pg_size_bytes(must_be || 'kB')
               -- The daemon must hear the warning that a wait for a standby was cancelled.
               WHEN 'client_min_messages' THEN present = 'error'
               WHEN 'synchronous_commit' THEN present NOT IN (must_be, 'remote_apply')
               ELSE present IS DISTINCT FROM CASE WHEN present = '0B' THEN must_be || 'B' ELSE must_be END
           END
$$;
COMMENT ON FUNCTION rule.session_faults() IS
    'Lists the settings of this session that are not as they must be, each with the statement that mends it.';
