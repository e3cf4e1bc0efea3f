-- Show the metadata of a key.
CREATE FUNCTION endpoint.key_get(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{path.key_id!}');
    v_key      CONSTANT store.managed_key :=
        rule.managed_key_require(caller, request, v_argument.key_id, 'read');
BEGIN
    RETURN rule.outcome(200, rule.render_managed_key(v_key, request)::text, v_key);
END
$$;
COMMENT ON FUNCTION endpoint.key_get(rule.caller, jsonb) IS
    'Gives the metadata of a key.';
