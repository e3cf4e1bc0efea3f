-- Make a key for encrypting elsewhere.
CREATE FUNCTION endpoint.key_generate_data_key(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument :=
        rule.arguments(request, '{path.key_id!, body.algorithm, body.without_plaintext}');
    v_key      CONSTANT store.managed_key :=
        rule.managed_key_require(caller, request, v_argument.key_id, 'encrypt');
    v_ciphertext text;
BEGIN
    PERFORM rule.managed_key_require_state(v_key, 'enabled');
    v_ciphertext := rule.managed_key_cipher(v_key, request, NULL);
    RETURN rule.outcome(200, row_to_json(shape)::text, v_key)
      FROM (SELECT v_key.id AS key_id, 'aes_256_gcm' AS algorithm, v_ciphertext AS ciphertext,
                   NULL AS plaintext, rule.render_time(clock_timestamp()) AS created_at) AS shape;
END
$$;
COMMENT ON FUNCTION endpoint.key_generate_data_key(rule.caller, jsonb) IS
    'Gives a new data key, encrypted with the newest rotation of an enabled key; the daemon, which '
    'alone sees it in clear, puts it into the answer unless it is not wanted.';
