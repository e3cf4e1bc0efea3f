-- A logical replica of the audit has the tables of schema audit, and those of store are empty.

CREATE FUNCTION auditor.alone_refuse()
RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM store.organization)
        AND EXISTS (SELECT FROM audit.event e WHERE e.organization_id IS NOT NULL) THEN
        PERFORM fail.operation_refused('this is a replica of the audit alone, without what is '
                                       'stored now', 'ask the primary, or a standby');
    END IF;
    RETURN true;
END
$$;
COMMENT ON FUNCTION auditor.alone_refuse() IS
    'Refuses a question about what is stored now on a logical replica that has nothing but the '
    'audit; gives true elsewhere.';
