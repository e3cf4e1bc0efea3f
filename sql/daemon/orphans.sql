CREATE FUNCTION daemon.orphans()
RETURNS TABLE (what text, found text, fault text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT 'orphans', 'no rows are left behind',
        format('%s rows of %s: as coffer_owner, %s', o.number, o.what, o.mend)
                   FROM rule.orphans() AS o;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'orphans', 'no rows are left behind', NULL::text;
    END IF;
END
$$;
COMMENT ON FUNCTION daemon.orphans() IS
    'Says for coffer doctor which rows foreign keys should have removed, each kind with the '
    'statement that mends it; null: none are left.';
