CREATE FUNCTION daemon.warnings()
RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT coalesce(jsonb_object_agg(h.name, h.fault), '{}') FROM rule.health() AS h
            WHERE h.fault IS NOT NULL);
END
$$;
COMMENT ON FUNCTION daemon.warnings() IS
    'Gives what rule.health finds wrong, as an object of texts by the name of the check; empty '
    'when nothing is.';
