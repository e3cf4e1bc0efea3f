-- Give a key new material.
CREATE FUNCTION endpoint.key_rotate(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{path.key_id!}');
    v_key      store.managed_key :=
        rule.managed_key_require_for_change(caller, request, v_argument.key_id, 'write');
    v_material CONSTANT jsonb := request -> 'material';
BEGIN
    PERFORM rule.managed_key_require_state(v_key, 'enabled', 'disabled');
    -- Material is wrapped for its rotation, and another one may have come between. A daemon of an
    -- earlier release does not say which one it is for.
    IF v_material ->> 'key_id' IS DISTINCT FROM v_key.id::text
        OR v_material ->> 'rotation' <> (v_key.rotation_count + 1)::text
        OR NOT rule.root_key_hold(v_material ->> 'root_id') THEN
        PERFORM rule.managed_key_challenge_material(v_key.id, v_key.project_id,
                                                    v_key.rotation_count + 1);
    END IF;

    PERFORM rule.managed_key_rotate(v_key, (v_material ->> 'kek_id')::uuid,
                                    v_material ->> 'root_id',
                                    decode(v_material ->> 'wrapped', 'base64'));

    RETURN rule.outcome_of_key(v_key.id, request);
END
$$;
COMMENT ON FUNCTION endpoint.key_rotate(rule.caller, jsonb) IS
    'Gives a key a new rotation, which is used from now on; older ones still decrypt, and what '
    'versions are under them moves in time.';
