-- Let a key not be used.
CREATE FUNCTION endpoint.key_disable(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{path.key_id!}');
    v_key      store.managed_key :=
        rule.managed_key_require_for_change(caller, request, v_argument.key_id, 'write');
BEGIN
    PERFORM rule.managed_key_require_state(v_key, 'enabled', 'disabled');

    UPDATE store.managed_key k SET enabled = false, updated_at = clock_timestamp()
     WHERE k.id = v_key.id AND k.enabled;

    RETURN rule.outcome_of_key(v_key.id, request);
END
$$;
COMMENT ON FUNCTION endpoint.key_disable(rule.caller, jsonb) IS
    'Disables a key: nothing can be encrypted or decrypted with it, and versions under it cannot '
    'be read; disabling it again changes nothing.';
