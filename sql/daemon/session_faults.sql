CREATE FUNCTION daemon.session_faults()
RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN rule.session_faults();
END
$$;
COMMENT ON FUNCTION daemon.session_faults() IS
    'Lists for a session that serves the settings that are no more as they must be, each with the '
    'statement that mends it.';
