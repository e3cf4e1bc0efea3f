-- Schedule a version for deletion.
CREATE FUNCTION endpoint.secret_version_delete(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{path.secret_id!, path.revision!}');
    v_secret   store.secret :=
        rule.secret_require_for_change(caller, request, v_argument.secret_id, 'delete',
                                       'secret_version');
    v_version  rule.version_now;
BEGIN
    PERFORM rule.secret_require_usable(v_secret);
    v_version := rule.version_require(v_secret, v_argument.revision);
    PERFORM rule.version_require_status(v_version.status, 'enabled', 'disabled');

    UPDATE store.version v
       SET status_to_restore = v.status, status = 'scheduled_for_deletion',
           deletion_requested_at = clock_timestamp()
     WHERE v.secret_id = v_secret.id AND v.revision = v_version.revision;

    RETURN rule.outcome(204, NULL, v_secret, v_version.revision, v_version.created_at,
                        v_version.updated_at);
END
$$;
COMMENT ON FUNCTION endpoint.secret_version_delete(rule.caller, jsonb) IS
    'Schedules a version for deletion.';
