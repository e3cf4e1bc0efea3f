-- Show the metadata of a version.
CREATE FUNCTION endpoint.secret_version_get(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{path.secret_id!, path.revision!}');
    v_secret   store.secret :=
        rule.secret_require(caller, request, v_argument.secret_id, 'read', 'secret_version');
    v_version  rule.version_now := rule.version_require(v_secret, v_argument.revision);
BEGIN
    RETURN rule.outcome_of_version(v_secret, v_version.revision, request);
END
$$;
COMMENT ON FUNCTION endpoint.secret_version_get(rule.caller, jsonb) IS
    'Gives the metadata of a version.';
