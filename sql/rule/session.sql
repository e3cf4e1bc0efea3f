CREATE FUNCTION rule.session_faults()
RETURNS text[]
LANGUAGE sql STABLE
AS $$
    -- Without these PostgreSQL writes bind parameters, and so keys and payloads, to its log.
    SELECT coalesce(array_agg(format('%s is %s: ALTER ROLE %I SET %s = %s', name, coalesce(present, 'not set'),
                                     session_user, name, must_be) ORDER BY name), '{}')
      FROM (SELECT name, must_be, current_setting(name, true) AS present
              FROM (VALUES ('log_parameter_max_length', '0'),
                           ('log_parameter_max_length_on_error', '0'),
                           ('plan_cache_mode', 'force_generic_plan'),
                           ('pgaudit.log_parameter', 'off'),
                           ('client_min_messages', 'notice'),
                           ('synchronous_commit', 'on')) AS wanted(name, must_be)) AS settings
     WHERE present IS DISTINCT FROM CASE WHEN present = '0B' THEN must_be || 'B' ELSE must_be END
       AND NOT (name = 'synchronous_commit' AND present = 'remote_apply')
       -- The daemon must hear the warning that a wait for a standby was cancelled.
       AND NOT (name = 'client_min_messages' AND present <> 'error')
$$;
COMMENT ON FUNCTION rule.session_faults() IS
    'Lists the settings of this session that are not as they must be, each with the statement that mends it.';
