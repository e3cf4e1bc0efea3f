-- Disable a version so that it cannot be accessed.
CREATE FUNCTION endpoint.secret_version_disable(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{path.secret_id!, path.revision!}');
    v_secret   store.secret :=
        rule.secret_require_for_change(caller, request, v_argument.secret_id, 'write',
                                       'secret_version');
    v_version  rule.version_now;
BEGIN
    PERFORM rule.secret_require_usable(v_secret);
    v_version := rule.version_require(v_secret, v_argument.revision);
    PERFORM rule.version_require_status(v_version.status, 'enabled', 'disabled');

    UPDATE store.version v SET status = 'disabled', updated_at = clock_timestamp()
     WHERE v.secret_id = v_secret.id AND v.revision = v_version.revision AND v.status = 'enabled';

    RETURN rule.outcome_of_version(v_secret, v_version.revision, request);
END
$$;
COMMENT ON FUNCTION endpoint.secret_version_disable(rule.caller, jsonb) IS
    'Disables an enabled version; changes nothing on a disabled one.';
