-- Take back the deletion of a secret.
CREATE FUNCTION endpoint.secret_restore(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{path.secret_id!}');
    v_secret   store.secret :=
        rule.secret_require_for_change(caller, request, v_argument.secret_id, 'restore');
    v_now      CONSTANT timestamptz := clock_timestamp();
BEGIN
    IF v_secret.deletion_requested_at IS NULL THEN
        PERFORM fail.precondition_failed('resource_not_usable',
                                         'secret is not scheduled for deletion');
    END IF;

    PERFORM rule.secret_update_name(v_secret.id, v_secret.name, v_secret.path, v_now);
    UPDATE store.version v
       SET status = v.status_to_restore, status_to_restore = NULL, deletion_requested_at = NULL,
           updated_at = v_now
     WHERE v.secret_id = v_secret.id AND v.status = 'scheduled_for_deletion';

    RETURN rule.outcome_of_secret(v_secret.id, request);
END
$$;
COMMENT ON FUNCTION endpoint.secret_restore(rule.caller, jsonb) IS
    'Makes a secret that is scheduled for deletion live again, with all its versions in their '
    'earlier status; refuses it if its name has been taken meanwhile.';
