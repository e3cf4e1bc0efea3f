-- Let a key be deleted.
CREATE FUNCTION endpoint.key_unprotect(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{path.key_id!}');
    v_key      store.managed_key :=
        rule.managed_key_require_for_change(caller, request, v_argument.key_id, 'write');
BEGIN
    PERFORM rule.managed_key_require_state(v_key, 'enabled', 'disabled');

    UPDATE store.managed_key k SET protected = false WHERE k.id = v_key.id;

    RETURN rule.outcome_of_key(v_key.id, request);
END
$$;
COMMENT ON FUNCTION endpoint.key_unprotect(rule.caller, jsonb) IS
    'Takes the protection off a key; doing it again changes nothing.';
