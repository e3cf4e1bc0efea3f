-- Change the metadata of a secret.
CREATE FUNCTION endpoint.secret_update(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{
        path.secret_id!, body.name, body.tags, body.description,
        body.path, body.ephemeral_policy}');
    v_secret   store.secret :=
        rule.secret_require_for_change(caller, request, v_argument.secret_id, 'write');
    v_policy   CONSTANT rule.ephemeral_policy := v_argument.ephemeral_policy;
    v_now      CONSTANT timestamptz := clock_timestamp();
    -- A policy that a client sends back as it got it is no change.
    v_changes  CONSTANT boolean := v_policy.action IS NOT NULL
        AND (v_policy.time_to_live, v_policy.expires_once_accessed, v_policy.action)
            IS DISTINCT FROM (v_secret.time_to_live, v_secret.expires_once_accessed,
                              v_secret.action);
BEGIN
    PERFORM rule.secret_require_usable(v_secret);
    IF v_changes AND v_policy.action = 'delete' THEN
        PERFORM rule.ephemeral_require_delete_allowed(caller, v_secret, 'secret');
    END IF;

    PERFORM rule.secret_update_name(v_secret.id, coalesce(v_argument.name, v_secret.name),
                                    coalesce(v_argument.path, v_secret.path), v_now);
    UPDATE store.secret s
       SET tags = coalesce(v_argument.tags, s.tags),
           description = coalesce(v_argument.description, s.description),
           time_to_live = CASE WHEN v_changes THEN v_policy.time_to_live ELSE s.time_to_live END,
           expires_once_accessed =
               CASE WHEN v_changes THEN v_policy.expires_once_accessed
                    ELSE s.expires_once_accessed END,
           action = CASE WHEN v_changes THEN v_policy.action ELSE s.action END,
           policy_origin = CASE WHEN NOT v_changes OR s.policy_origin = 'added' THEN s.policy_origin
                                WHEN s.policy_origin IS NULL THEN 'added'
                                ELSE 'replaced' END
     WHERE s.id = v_secret.id;

    RETURN rule.outcome_of_secret(v_secret.id, request);
END
$$;
COMMENT ON FUNCTION endpoint.secret_update(rule.caller, jsonb) IS
    'Changes the given metadata of a secret and leaves the rest; an ephemeral policy is replaced '
    'whole and holds for later versions; one with action delete needs the right to delete and is '
    'refused on a protected secret.';
