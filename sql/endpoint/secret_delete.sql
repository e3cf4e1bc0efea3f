-- Schedule a secret for deletion; one that was created ephemeral goes at once.
CREATE FUNCTION endpoint.secret_delete(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{path.secret_id!}');
    v_secret   store.secret :=
        rule.secret_require_for_change(caller, request, v_argument.secret_id, 'delete');
    v_now      CONSTANT timestamptz := clock_timestamp();
BEGIN
    PERFORM rule.secret_require_usable(v_secret);
    IF v_secret.protected THEN
        PERFORM fail.precondition_failed('protected_resource', 'cannot delete a protected secret');
    END IF;

    IF v_secret.policy_origin IN ('creation', 'replaced') THEN
        PERFORM rule.secret_delete(v_secret.id);
    ELSE
        UPDATE store.secret s SET deletion_requested_at = v_now, updated_at = v_now
         WHERE s.id = v_secret.id;
        UPDATE store.version v
           SET status_to_restore = v.status, status = 'scheduled_for_deletion',
               deletion_requested_at = v_now
         WHERE v.secret_id = v_secret.id AND v.status <> 'scheduled_for_deletion';
    END IF;

    RETURN (204, NULL, v_secret.project_id, v_secret.id, NULL,
            rule.snapshot_of_secret(v_secret.organization_id, v_secret.id, NULL))::rule.outcome;
END
$$;
COMMENT ON FUNCTION endpoint.secret_delete(rule.caller, jsonb) IS
    'Schedules a secret and all its versions for deletion, or removes it at once if it was created '
    'with an ephemeral policy; refuses a protected one.';
