-- Change the metadata of a version.
CREATE FUNCTION endpoint.secret_version_update(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{
        path.secret_id!, path.revision!, body.description,
        body.ephemeral_properties}');
    v_secret   store.secret :=
        rule.secret_require_for_change(caller, request, v_argument.secret_id, 'write',
                                       'secret_version');
    v_version  rule.version_now;
    v_ephemeral CONSTANT rule.ephemeral_properties := v_argument.ephemeral_properties;
    v_changes  boolean;
BEGIN
    PERFORM rule.secret_require_usable(v_secret);
    v_version := rule.version_require(v_secret, v_argument.revision);
    PERFORM rule.version_require_status(v_version.status, 'enabled', 'disabled');

    -- Properties that a client sends back as it got them are no change.
    v_changes := v_ephemeral.action IS NOT NULL
        AND (v_ephemeral.expires_at, v_ephemeral.expires_once_accessed, v_ephemeral.action)
            IS DISTINCT FROM (v_version.expires_at, v_version.expires_once_accessed,
                              v_version.action);
    IF v_changes AND v_ephemeral.action = 'delete' THEN
        PERFORM rule.ephemeral_require_delete_allowed(caller, v_secret, 'secret_version');
    END IF;

    UPDATE store.version v
       SET description = coalesce(v_argument.description, v.description),
           expires_at = CASE WHEN v_changes THEN v_ephemeral.expires_at ELSE v.expires_at END,
           expires_once_accessed = CASE WHEN v_changes THEN v_ephemeral.expires_once_accessed
                                        ELSE v.expires_once_accessed END,
           action = CASE WHEN v_changes THEN v_ephemeral.action ELSE v.action END,
           recoverable = v_changes OR v.recoverable,
           updated_at = clock_timestamp()
     WHERE v.secret_id = v_secret.id AND v.revision = v_version.revision;

    RETURN rule.outcome_of_version(v_secret, v_version.revision, request);
END
$$;
COMMENT ON FUNCTION endpoint.secret_version_update(rule.caller, jsonb) IS
    'Changes the description or the ephemeral properties of a version, the latter as a whole; an '
    'action delete needs the right to delete, is refused on a protected secret, and leaves seven '
    'days to restore the version.';
