-- Read the value of a version of the secret that has this name in this path.
CREATE FUNCTION endpoint.secret_version_access_by_path(caller rule.caller, request jsonb, key bytea)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{
        path.revision!, query.project_id!, query.secret_name!,
        query.secret_path}');
    v_project  CONSTANT uuid :=
        rule.caller_require_project(caller, 'access', 'secret_version', v_argument.project_id);
    v_path     CONSTANT text := coalesce(v_argument.secret_path, '/');
    v_region   CONSTANT text := request ->> 'region';
    v_secret   store.secret;
BEGIN
    SELECT * INTO v_secret FROM store.secret s
     WHERE s.project_id = v_project AND s.region = v_region AND s.path = v_path
       AND s.name = v_argument.secret_name AND s.deletion_requested_at IS NULL;
    IF NOT FOUND THEN
        PERFORM fail.not_found('secret', v_argument.secret_name);
    END IF;
    RETURN rule.access(v_secret, v_argument.revision, request, key);
END
$$;
COMMENT ON FUNCTION endpoint.secret_version_access_by_path(rule.caller, jsonb, bytea) IS
    'Gives the value of an enabled version of the live secret that has this name in this path.';
