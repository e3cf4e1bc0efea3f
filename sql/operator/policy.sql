CREATE FUNCTION operator.policy_create(principal_id uuid, name text, permission_sets text[],
                                       project_ids uuid[] DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_id        CONSTANT uuid := gen_random_uuid();
    v_principal store.principal;
BEGIN
    SELECT * INTO v_principal FROM store.principal p WHERE p.id = policy_create.principal_id;
    IF NOT FOUND THEN
        PERFORM fail.operation_refused('there is no such principal',
                                       'operator.principal_create() makes one');
    ELSIF coalesce(cardinality(permission_sets), 0) = 0
        OR NOT permission_sets <@ rule.caller_permission_sets_known() THEN
        PERFORM fail.operation_refused('there is no such permission set',
                                       'one or more of '
                                           || array_to_string(rule.caller_permission_sets_known(),
                                               ', '));
    ELSIF project_ids = '{}' OR EXISTS (
        SELECT FROM unnest(project_ids) AS wanted(id)
         WHERE NOT EXISTS (SELECT FROM store.project p
                            WHERE p.id = wanted.id
                              AND p.organization_id = v_principal.organization_id)) THEN
        PERFORM fail.operation_refused('a project is not in the organization of the principal',
                                       'leave out project_ids for the whole organization');
    END IF;
    INSERT INTO store.policy (id, principal_id, name)
        VALUES (v_id, v_principal.id, policy_create.name);
    INSERT INTO store.policy_rule (policy_id, permission_set, project_id)
    SELECT DISTINCT v_id, permission_set, project_id
      FROM unnest(permission_sets) AS permission_set,
           unnest(coalesce(project_ids, ARRAY[NULL]::uuid[])) AS project_id;
    PERFORM rule.audit_write_operator('operator.policy_create', v_principal.organization_id, NULL,
                                      v_principal.id,
                                      jsonb_build_object('policy_id', v_id, 'name', name,
                                                         'permission_sets', permission_sets,
                                                             'project_ids', project_ids));
    RETURN v_id;
END
$$;
COMMENT ON FUNCTION operator.policy_create(uuid, text, text[], uuid[]) IS
    'Gives a principal permission sets on the given projects or, without project_ids, on its '
    'whole organization; gives the id of the policy.';

CREATE FUNCTION operator.policy_delete(policy_id uuid)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_policy    store.policy;
    v_principal store.principal;
    v_rules     jsonb;
BEGIN
    v_rules := (SELECT coalesce(jsonb_agg(jsonb_build_object('permission_set', r.permission_set,
        'project_id', r.project_id)
                                          ORDER BY r.permission_set, r.project_id), '[]')
                  FROM store.policy_rule r WHERE r.policy_id = policy_delete.policy_id);
    DELETE FROM store.policy p WHERE p.id = policy_delete.policy_id RETURNING * INTO v_policy;
    IF NOT FOUND THEN
        PERFORM fail.operation_refused('there is no such policy',
                                       'it may have been deleted before');
    END IF;
    SELECT * INTO v_principal FROM store.principal p WHERE p.id = v_policy.principal_id;
    PERFORM rule.audit_write_operator('operator.policy_delete', v_principal.organization_id, NULL,
                                      v_principal.id,
                                      jsonb_build_object('policy_id', policy_id, 'before',
                                          jsonb_build_object('name', v_policy.name, 'rules',
                                              v_rules)));
END
$$;
COMMENT ON FUNCTION operator.policy_delete(uuid) IS
    'Deletes a policy; what it allowed is refused from the next call on.';
