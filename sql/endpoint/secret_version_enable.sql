-- Enable a disabled version so that it can be accessed again.
CREATE FUNCTION endpoint.secret_version_enable(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{path.secret_id!, path.revision!}');
    v_secret   store.secret :=
        rule.secret_require_for_change(caller, request, v_argument.secret_id, 'write',
                                       'secret_version');
    v_version  rule.version_now;
    v_now      CONSTANT timestamptz := clock_timestamp();
    v_ephemeral rule.ephemeral_properties;
BEGIN
    PERFORM rule.secret_require_usable(v_secret);
    v_version := rule.version_require(v_secret, v_argument.revision);
    PERFORM rule.version_require_status(v_version.status, 'enabled', 'disabled');

    IF v_version.status = 'disabled' THEN
        v_ephemeral := rule.ephemeral_properties_from_policy(v_secret, v_now);
        UPDATE store.version v
           SET status = 'enabled', updated_at = v_now, expires_at = v_ephemeral.expires_at,
               expires_once_accessed = v_ephemeral.expires_once_accessed,
               action = v_ephemeral.action, recoverable = v_ephemeral.recoverable
         WHERE v.secret_id = v_secret.id AND v.revision = v_version.revision;
    END IF;

    RETURN rule.outcome_of_version(v_secret, v_version.revision, request);
END
$$;
COMMENT ON FUNCTION endpoint.secret_version_enable(rule.caller, jsonb) IS
    'Enables a disabled version, with the ephemeral properties that the present policy of its '
    'secret gives; changes nothing on an enabled one.';
