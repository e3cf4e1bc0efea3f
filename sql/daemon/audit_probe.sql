CREATE FUNCTION daemon.audit_probe()
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- A row as large as that of a call, in a block that is undone.
    PERFORM rule.audit_write('daemon.audit_probe', NULL,
                             jsonb_build_object('detail', repeat('x', 400)),
                             rule.outcome(200, NULL, NULL::uuid), NULL);
    PERFORM fail.challenge('{}');
    RETURN false;
EXCEPTION
    WHEN SQLSTATE 'SM000' THEN
        RETURN true;
END
$$;
COMMENT ON FUNCTION daemon.audit_probe() IS
    'Tries to write a row to the audit and takes it back, so that only the commit is left of it: '
    'fails as each call does when the audit cannot be written.';
