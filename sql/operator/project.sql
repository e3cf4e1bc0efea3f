CREATE FUNCTION operator.project_create(organization_id uuid, name text,
                                        id uuid DEFAULT gen_random_uuid())
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM store.organization o WHERE o.id = project_create.organization_id)
        THEN
        PERFORM fail.operation_refused('there is no such organization',
                                       'operator.organization_create() makes one');
    END IF;
    INSERT INTO store.project (id, organization_id, name)
    VALUES (project_create.id, project_create.organization_id, project_create.name);
    PERFORM rule.audit_write_operator('operator.project_create', project_create.organization_id,
                                      project_create.id, NULL,
                                      jsonb_build_object('name', name));
    RETURN project_create.id;
END
$$;
COMMENT ON FUNCTION operator.project_create(uuid, text, uuid) IS
    'Makes a project in an organization; gives its id. A daemon makes its key when it first needs '
    'one.';

CREATE FUNCTION operator.project_delete(project_id uuid)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_project store.project;
    v_secret  store.secret;
    v_key     store.managed_key;
    v_count   bigint := 0;
    v_keys    bigint := 0;
    v_before  jsonb;
BEGIN
    SELECT * INTO v_project FROM store.project p WHERE p.id = project_delete.project_id FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM fail.operation_refused('there is no such project',
                                       'it may have been deleted before');
    END IF;
    -- What goes with it, but for the secrets and the keys, which have rows of their own.
    v_before := jsonb_build_object(
        'name', v_project.name,
        'rules', (SELECT coalesce(jsonb_agg(jsonb_build_object('policy_id', r.policy_id,
            'permission_set', r.permission_set)
                                            ORDER BY r.policy_id, r.permission_set), '[]')
                    FROM store.policy_rule r WHERE r.project_id = v_project.id),
        'default_of', (SELECT coalesce(jsonb_agg(k.access_key ORDER BY k.access_key), '[]')
                         FROM store.api_key k WHERE k.default_project_id = v_project.id),
        'kek_ids', (SELECT coalesce(jsonb_agg(k.id ORDER BY k.id), '[]')
                      FROM store.kek k WHERE k.project_id = v_project.id AND k.key_id IS NULL));
    FOR v_secret IN
        DELETE FROM store.secret s WHERE s.project_id = v_project.id RETURNING *
    LOOP
        PERFORM rule.audit_write_job('operator.project_delete', v_secret, NULL,
                                     jsonb_build_object('before',
                                                        jsonb_build_object('name', v_secret.name,
                                                            'path', v_secret.path)));
        v_count := v_count + 1;
    END LOOP;
    FOR v_key IN
        SELECT * FROM store.managed_key k WHERE k.project_id = v_project.id ORDER BY k.id FOR UPDATE
    LOOP
        PERFORM rule.managed_key_delete(v_key);
        PERFORM rule.audit_write_job('operator.key_purge', v_key,
                                     jsonb_build_object('before',
                                                        jsonb_build_object('name', v_key.name)));
        v_keys := v_keys + 1;
    END LOOP;
    DELETE FROM store.kek k WHERE k.project_id = v_project.id;
    DELETE FROM store.project p WHERE p.id = v_project.id;
    PERFORM rule.audit_write_operator('operator.project_delete', v_project.organization_id,
                                      v_project.id, NULL,
                                      jsonb_build_object('secrets', v_count, 'keys', v_keys,
                                                         'before', v_before));
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION operator.project_delete(uuid) IS
    'Deletes a project and at once, for ever, its secrets and its managed keys, scheduled or not, '
    'protected or not, and its key-encryption keys; gives the number of secrets.';
