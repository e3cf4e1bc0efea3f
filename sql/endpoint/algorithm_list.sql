-- List the algorithms that keys can be of.
CREATE FUNCTION endpoint.algorithm_list(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{query.usages}');
BEGIN
    RETURN rule.outcome(200, row_to_json(shape)::text, NULL::uuid)
      FROM (SELECT CASE WHEN v_argument.usages IS NULL
                          OR 'symmetric_encryption' = ANY (v_argument.usages) THEN
                       '[{"usage":"symmetric_encryption","name":"aes_256_gcm","recommended":true}]'
                   ELSE '[]' END::json AS algorithms) AS shape;
END
$$;
COMMENT ON FUNCTION endpoint.algorithm_list(rule.caller, jsonb) IS
    'Lists the algorithms of the usages asked for, by default of all; each caller may know them.';
