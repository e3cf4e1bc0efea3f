-- Protect a key from deletion.
CREATE FUNCTION endpoint.key_protect(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{path.key_id!}');
    v_key      store.managed_key :=
        rule.managed_key_require_for_change(caller, request, v_argument.key_id, 'write');
BEGIN
    PERFORM rule.managed_key_require_state(v_key, 'enabled', 'disabled');

    UPDATE store.managed_key k SET protected = true WHERE k.id = v_key.id;

    RETURN rule.outcome_of_key(v_key.id, request);
END
$$;
COMMENT ON FUNCTION endpoint.key_protect(rule.caller, jsonb) IS
    'Protects a key from deletion; protecting it again changes nothing.';
