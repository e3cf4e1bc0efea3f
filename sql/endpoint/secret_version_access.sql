-- Read the value of a version.
CREATE FUNCTION endpoint.secret_version_access(caller rule.caller, request jsonb, key bytea)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{path.secret_id!, path.revision!}');
    v_secret   store.secret :=
        rule.secret_require(caller, request, v_argument.secret_id, 'access', 'secret_version');
BEGIN
    RETURN rule.access(v_secret, v_argument.revision, request, key);
END
$$;
COMMENT ON FUNCTION endpoint.secret_version_access(rule.caller, jsonb, bytea) IS
    'Gives the value of an enabled version.';
