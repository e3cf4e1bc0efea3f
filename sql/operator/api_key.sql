CREATE FUNCTION operator.api_key_add(principal_id uuid, access_key text, digest bytea,
                                     default_project_id uuid DEFAULT NULL,
                                     description text DEFAULT '',
                                         expires_at timestamptz DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_id        CONSTANT uuid := gen_random_uuid();
    v_principal store.principal;
BEGIN
    SELECT * INTO v_principal FROM store.principal p WHERE p.id = api_key_add.principal_id;
    IF NOT FOUND THEN
        PERFORM fail.operation_refused('there is no such principal',
                                       'operator.principal_create() makes one');
    ELSIF default_project_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM store.project p
         WHERE p.id = api_key_add.default_project_id
           AND p.organization_id = v_principal.organization_id) THEN
        PERFORM fail.operation_refused('the project is not in the organization of the principal',
                                       'operator.project_create() makes one there');
    END IF;
    PERFORM rule.time_require_future('expires_at', expires_at);
    INSERT INTO store.api_key (id, principal_id, access_key, digest, default_project_id,
                               description, expires_at)
    VALUES (v_id, v_principal.id, api_key_add.access_key, api_key_add.digest,
            api_key_add.default_project_id,
            coalesce(api_key_add.description, ''), api_key_add.expires_at);
    PERFORM rule.audit_write_operator('operator.api_key_add', v_principal.organization_id,
                                      api_key_add.default_project_id, v_principal.id,
                                      jsonb_build_object('api_key_id', v_id, 'access_key',
                                                         access_key,
                                                         'default_project_id', default_project_id,
                                                         'description', coalesce(description, ''),
                                                         'expires_at',
                                                             rule.render_time(expires_at)));
    RETURN v_id;
END
$$;
COMMENT ON FUNCTION operator.api_key_add(uuid, text, bytea, uuid, text, timestamptz) IS
    'Adds an API key that `coffer api-key create` has minted, by its digest; gives its id. '
    'expires_at is a time to come, null: never. Only a daemon host can compute a digest that '
    'works.';

CREATE FUNCTION operator.api_key_revoke(access_key text)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_key       store.api_key;
    v_principal store.principal;
BEGIN
    UPDATE store.api_key k SET revoked_at = clock_timestamp()
     WHERE k.access_key = api_key_revoke.access_key AND k.revoked_at IS NULL
    RETURNING k.* INTO v_key;
    IF NOT FOUND THEN
        PERFORM fail.operation_refused('there is no such API key',
                                       'it may have been revoked before');
    END IF;
    SELECT * INTO v_principal FROM store.principal p WHERE p.id = v_key.principal_id;
    PERFORM rule.audit_write_operator(
        'operator.api_key_revoke', v_principal.organization_id, NULL, v_principal.id,
        jsonb_build_object('api_key_id', v_key.id, 'access_key', v_key.access_key,
                           'before', jsonb_build_object(
                               'default_project_id', v_key.default_project_id,
                               'description', v_key.description,
                               'expires_at', rule.render_time(v_key.expires_at))));
END
$$;
COMMENT ON FUNCTION operator.api_key_revoke(text) IS
    'Revokes an API key by its access key; it is refused from the next call on.';
