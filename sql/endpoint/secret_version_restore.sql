-- Take back the deletion of a version.
CREATE FUNCTION endpoint.secret_version_restore(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{path.secret_id!, path.revision!}');
    v_secret   store.secret :=
        rule.secret_require_for_change(caller, request, v_argument.secret_id, 'restore',
                                       'secret_version');
    v_version  rule.version_now;
BEGIN
    PERFORM rule.secret_require_usable(v_secret);
    v_version := rule.version_require(v_secret, v_argument.revision);
    IF v_version.status <> 'scheduled_for_deletion' THEN
        PERFORM fail.precondition_failed('resource_not_usable',
                                         'secret version is not scheduled for deletion');
    END IF;

    UPDATE store.version v
       SET status = v.status_to_restore, status_to_restore = NULL, deletion_requested_at = NULL,
           updated_at = clock_timestamp()
     WHERE v.secret_id = v_secret.id AND v.revision = v_version.revision;

    RETURN rule.outcome_of_version(v_secret, v_version.revision, request);
END
$$;
COMMENT ON FUNCTION endpoint.secret_version_restore(rule.caller, jsonb) IS
    'Gives a version that is scheduled for deletion its earlier status back.';
