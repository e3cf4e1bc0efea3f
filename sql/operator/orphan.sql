CREATE FUNCTION operator.orphans()
RETURNS TABLE (what text, number bigint, mend text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT o.what, o.number, o.mend FROM rule.orphans() AS o;
END
$$;
COMMENT ON FUNCTION operator.orphans() IS
    'Lists rows that foreign keys should have removed, and counters that are wrong: their number, '
    'and the statement that mends it as coffer_owner; no row: there are none. It reads each table '
    'of schema store once.';
