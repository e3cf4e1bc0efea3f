-- Encrypt a value with a key.
CREATE FUNCTION endpoint.key_encrypt(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument :=
        rule.arguments(request, '{path.key_id!, cut.plaintext!, cut.associated_data}');
    v_key      CONSTANT store.managed_key :=
        rule.managed_key_require(caller, request, v_argument.key_id, 'encrypt');
    v_ciphertext text;
BEGIN
    PERFORM rule.managed_key_require_state(v_key, 'enabled');
    v_ciphertext := rule.managed_key_cipher(v_key, request, NULL);
    RETURN rule.outcome(200, row_to_json(shape)::text, v_key)
      FROM (SELECT v_key.id AS key_id, v_ciphertext AS ciphertext) AS shape;
END
$$;
COMMENT ON FUNCTION endpoint.key_encrypt(rule.caller, jsonb) IS
    'Encrypts a value, which only the daemon sees, with the newest rotation of an enabled key.';
