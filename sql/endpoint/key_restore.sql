-- Take back the deletion of a key.
CREATE FUNCTION endpoint.key_restore(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{path.key_id!}');
    v_key      store.managed_key :=
        rule.managed_key_require_for_change(caller, request, v_argument.key_id, 'restore');
BEGIN
    IF v_key.deletion_requested_at IS NULL THEN
        PERFORM fail.precondition_failed('resource_not_usable',
                                         'key is not scheduled for deletion');
    END IF;

    UPDATE store.managed_key k SET deletion_requested_at = NULL, updated_at = clock_timestamp()
     WHERE k.id = v_key.id;

    RETURN rule.outcome_of_key(v_key.id, request);
END
$$;
COMMENT ON FUNCTION endpoint.key_restore(rule.caller, jsonb) IS
    'Gives a key that is scheduled for deletion its earlier state back.';
