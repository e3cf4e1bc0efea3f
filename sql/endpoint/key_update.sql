-- Change the metadata of a key.
CREATE FUNCTION endpoint.key_update(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{
        path.key_id!, body.name, body.description, body.tags,
        body.rotation_policy}');
    v_key      store.managed_key :=
        rule.managed_key_require_for_change(caller, request, v_argument.key_id, 'write');
    v_policy   CONSTANT rule.rotation_policy := v_argument.rotation_policy;
BEGIN
    PERFORM rule.managed_key_require_state(v_key, 'enabled', 'disabled');

    UPDATE store.managed_key k
       SET name = coalesce(v_argument.name, k.name),
           description = coalesce(v_argument.description, k.description),
           tags = coalesce(v_argument.tags, k.tags),
           rotation_period =
               CASE WHEN v_policy.given THEN v_policy.rotation_period ELSE k.rotation_period END,
           next_rotation_at =
               CASE WHEN v_policy.given THEN v_policy.next_rotation_at ELSE k.next_rotation_at END,
           updated_at = clock_timestamp()
     WHERE k.id = v_key.id;

    RETURN rule.outcome_of_key(v_key.id, request);
END
$$;
COMMENT ON FUNCTION endpoint.key_update(rule.caller, jsonb) IS
    'Changes the given metadata of a key and leaves the rest; a rotation policy is replaced whole, '
    'and one without members removed.';
