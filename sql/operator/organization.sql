CREATE FUNCTION operator.organization_create(name text, id uuid DEFAULT gen_random_uuid())
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO store.organization (id, name)
        VALUES (organization_create.id, organization_create.name);
    PERFORM rule.audit_write_operator('operator.organization_create', organization_create.id, NULL,
                                      NULL,
                                      jsonb_build_object('name', name));
    RETURN organization_create.id;
END
$$;
COMMENT ON FUNCTION operator.organization_create(text, uuid) IS
    'Makes an organization; gives its id.';
