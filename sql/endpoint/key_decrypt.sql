-- Decrypt a value with a key.
CREATE FUNCTION endpoint.key_decrypt(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument :=
        rule.arguments(request, '{path.key_id!, cut.ciphertext!, cut.associated_data}');
    v_key      CONSTANT store.managed_key :=
        rule.managed_key_require(caller, request, v_argument.key_id, 'decrypt');
    v_rotation CONSTANT bigint := request -> 'ciphertext' ->> 'rotation';
    v_ciphertext text;
BEGIN
    PERFORM rule.managed_key_require_state(v_key, 'enabled');
    IF v_rotation IS NULL THEN
        PERFORM rule.managed_key_refuse_ciphertext();
    END IF;
    v_ciphertext := rule.managed_key_cipher(v_key, request, v_rotation);
    RETURN rule.outcome(200, row_to_json(shape)::text, v_key)
      FROM (SELECT v_key.id AS key_id, NULL AS plaintext, v_ciphertext AS ciphertext) AS shape;
END
$$;
COMMENT ON FUNCTION endpoint.key_decrypt(rule.caller, jsonb) IS
    'Decrypts a value with the rotation of an enabled key that its ciphertext names, and encrypts '
    'it anew if that is not the newest; the daemon puts the plaintext into the answer.';
