CREATE FUNCTION operator.principal_create(organization_id uuid, kind text, name text)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_id CONSTANT uuid := gen_random_uuid();
BEGIN
    IF (kind IN ('application', 'user')) IS NOT TRUE THEN
        PERFORM fail.operation_refused('a principal is an application or a user',
                                       'pass one of these words as kind');
    ELSIF NOT EXISTS (SELECT FROM store.organization o
                      WHERE o.id = principal_create.organization_id) THEN
        PERFORM fail.operation_refused('there is no such organization',
                                       'operator.organization_create() makes one');
    END IF;
    INSERT INTO store.principal (id, organization_id, kind, name)
    VALUES (v_id, principal_create.organization_id, principal_create.kind, principal_create.name);
    PERFORM rule.audit_write_operator('operator.principal_create', principal_create.organization_id,
                                      NULL, v_id,
                                      jsonb_build_object('kind', kind, 'name', name));
    RETURN v_id;
END
$$;
COMMENT ON FUNCTION operator.principal_create(uuid, text, text) IS
    'Makes an application or a user in an organization; gives its id. It may do nothing until '
    'operator.policy_create gives it rights.';
