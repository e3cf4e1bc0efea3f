-- Show the metadata of a secret.
CREATE FUNCTION endpoint.secret_get(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{path.secret_id!}');
    v_secret   store.secret := rule.secret_require(caller, request, v_argument.secret_id, 'read');
BEGIN
    RETURN rule.outcome(200, rule.render_secret(v_secret, request)::text, v_secret);
END
$$;
COMMENT ON FUNCTION endpoint.secret_get(rule.caller, jsonb) IS
    'Gives the metadata of a secret.';
