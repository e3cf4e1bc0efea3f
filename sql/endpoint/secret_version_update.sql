-- Change the metadata of a version.
CREATE FUNCTION endpoint.secret_version_update(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{
        path.secret_id!, path.revision!, body.description,
        body.ephemeral_properties}');
    v_secret   store.secret := rule.secret_for_change(caller, request, v_argument.secret_id, 'write', 'secret_version');
    v_version  rule.version_now;
    v_ephemeral CONSTANT rule.ephemeral_properties := v_argument.ephemeral_properties;
BEGIN
    PERFORM rule.secret_must_be_usable(v_secret);
    v_version := rule.version_of(v_secret, v_argument.revision);
    PERFORM rule.version_must_be(v_version.status, 'enabled', 'disabled');

    UPDATE store.version v
       SET description = coalesce(v_argument.description, v.description),
           expires_at = CASE WHEN v_ephemeral.action IS NULL THEN v.expires_at ELSE v_ephemeral.expires_at END,
           expires_once_accessed = coalesce(v_ephemeral.expires_once_accessed, v.expires_once_accessed),
           action = coalesce(v_ephemeral.action, v.action),
           updated_at = clock_timestamp()
     WHERE v.secret_id = v_secret.id AND v.revision = v_version.revision;

    RETURN rule.outcome_of_version(v_secret, v_version.revision);
END
$$;
COMMENT ON FUNCTION endpoint.secret_version_update(rule.caller, jsonb) IS
    'Changes the description or the ephemeral properties of a version, the latter as a whole.';
