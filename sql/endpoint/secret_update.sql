-- Change the metadata of a secret.
CREATE FUNCTION endpoint.secret_update(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{
        path.secret_id!, body.name, body.tags, body.description,
        body.path, body.ephemeral_policy}');
    v_secret   store.secret := rule.secret_for_change(caller, request, v_argument.secret_id, 'write');
    v_policy   CONSTANT rule.ephemeral_policy := v_argument.ephemeral_policy;
    v_now      CONSTANT timestamptz := clock_timestamp();
BEGIN
    PERFORM rule.secret_must_be_usable(v_secret);

    PERFORM rule.secret_update_name(v_secret.id, coalesce(v_argument.name, v_secret.name),
                                    coalesce(v_argument.path, v_secret.path), v_now);
    UPDATE store.secret s
       SET tags = coalesce(v_argument.tags, s.tags),
           description = coalesce(v_argument.description, s.description),
           time_to_live = CASE WHEN v_policy.action IS NULL THEN s.time_to_live ELSE v_policy.time_to_live END,
           expires_once_accessed = coalesce(v_policy.expires_once_accessed, s.expires_once_accessed),
           action = coalesce(v_policy.action, s.action)
     WHERE s.id = v_secret.id;

    RETURN rule.outcome_of_secret(v_secret.id);
END
$$;
COMMENT ON FUNCTION endpoint.secret_update(rule.caller, jsonb) IS
    'Changes the given metadata of a secret and leaves the rest; an ephemeral policy is replaced whole and holds for later versions.';
