-- Schedule a key for deletion.
CREATE FUNCTION endpoint.key_delete(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{path.key_id!}');
    v_key      store.managed_key :=
        rule.managed_key_require_for_change(caller, request, v_argument.key_id, 'delete');
    v_now      CONSTANT timestamptz := clock_timestamp();
BEGIN
    PERFORM rule.managed_key_require_state(v_key, 'enabled', 'disabled');
    IF v_key.protected THEN
        PERFORM fail.precondition_failed('protected_resource', 'cannot delete a protected key');
    END IF;

    UPDATE store.managed_key k SET deletion_requested_at = v_now, updated_at = v_now
     WHERE k.id = v_key.id
    RETURNING * INTO v_key;

    RETURN rule.outcome(204, NULL, v_key);
END
$$;
COMMENT ON FUNCTION endpoint.key_delete(rule.caller, jsonb) IS
    'Schedules a key for deletion: until it is purged it can be restored, but not used; refuses a '
    'protected one.';
