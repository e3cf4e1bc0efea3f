-- Create a secret, as yet without a version.
CREATE FUNCTION endpoint.secret_create(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_project  CONSTANT text :=
        CASE WHEN caller.default_project_id IS NULL THEN 'body.project_id!'
             ELSE 'body.project_id' END;
    v_argument rule.argument := rule.arguments(request, v_project || '{
        body.name!, body.tags, body.description, body.type,
        body.path, body.ephemeral_policy, body.protected,
        body.key_id}'::text[]);
    v_now      CONSTANT timestamptz := clock_timestamp();
    v_secret   store.secret;
BEGIN
    v_secret.project_id := rule.caller_require_project(caller, 'create', 'secret',
                                               coalesce(v_argument.project_id,
                                                        caller.default_project_id));

    IF v_argument.key_id IS NOT NULL THEN
        PERFORM rule.managed_key_require_for_secret(v_argument.key_id, v_secret.project_id,
                                                    request ->> 'region');
    END IF;

    -- The lock makes creates of one organization wait for each other, so that the quota is exact.
    PERFORM FROM store.organization o WHERE o.id = caller.organization_id FOR NO KEY UPDATE;
    PERFORM rule.quota_require_room(caller.organization_id, 'secret',
        rule.quota_used(caller.organization_id));

    v_secret.id := gen_random_uuid();
    BEGIN
        INSERT INTO store.secret (id, organization_id, project_id, region, path, name, type,
                                  description, tags, protected, time_to_live,
                                  expires_once_accessed, action, policy_origin, key_id, created_at,
                                  updated_at)
        VALUES (v_secret.id, caller.organization_id, v_secret.project_id, request ->> 'region',
                coalesce(v_argument.path, '/'), v_argument.name,
                coalesce(v_argument.type, 'opaque'), coalesce(v_argument.description, ''),
                coalesce(v_argument.tags, '{}'), coalesce(v_argument.protected, false),
                (v_argument.ephemeral_policy).time_to_live,
                (v_argument.ephemeral_policy).expires_once_accessed,
                (v_argument.ephemeral_policy).action,
                CASE WHEN (v_argument.ephemeral_policy).action IS NOT NULL THEN 'creation' END,
                v_argument.key_id, v_now, v_now);
    EXCEPTION
        WHEN unique_violation THEN
            PERFORM rule.secret_refuse_name();
        WHEN foreign_key_violation THEN     -- the operator has deleted the project meanwhile
            PERFORM fail.permissions_denied('create', 'secret');
    END;

    RETURN rule.outcome_of_secret(v_secret.id, request);
END
$$;
COMMENT ON FUNCTION endpoint.secret_create(rule.caller, jsonb) IS
    'Creates a secret without a version; refuses a name taken in its path, a create past the quota '
    'and a managed key of another project.';
