-- Encryption of payloads and wrapping of keys. The only file that names pgcrypto. Each call matches
-- the types of its function exactly: no function that somebody adds fits better. Construction:
-- AEAD_AES_256_CBC_HMAC_SHA_512 of draft-mcgrew-aead-aes-cbc-hmac-sha2, as A256CBC-HS512 in RFC
-- 7518, 5.2.5.

CREATE FUNCTION rule.crypto_aad(kind text, project_id uuid, secret_id uuid, revision integer,
                                kek_id uuid)
RETURNS bytea
LANGUAGE sql STABLE
AS $$
    SELECT E'\\x01'::bytea || 'coffer1'::bytea || E'\\x00'::bytea || convert_to(kind, 'UTF8')
           || E'\\x00'::bytea
        || uuid_send(project_id) || uuid_send(secret_id) || int8send(revision)
        || coalesce(uuid_send(kek_id), E'\\x00000000000000000000000000000000'::bytea)
$$;
COMMENT ON FUNCTION rule.crypto_aad(text, uuid, uuid, integer, uuid) IS
    'Makes the associated data that binds a ciphertext to its place: algorithm, kind (dek or '
    'pay), project, secret, revision and, for a dek only, the key-encryption key. Fixed widths '
    'keep it injective. A payload is not bound to a KEK, so that a rewrap leaves it alone.';

CREATE FUNCTION rule.crypto_encrypt(key bytea, aad bytea, plain bytea, iv bytea)
RETURNS bytea
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    v_cipher bytea;
BEGIN
    -- pgcrypto pads or cuts keys and IVs of a wrong length without a word.
    IF octet_length(key) IS DISTINCT FROM 64 OR octet_length(iv) IS DISTINCT FROM 16
        OR aad IS NULL OR plain IS NULL THEN
        PERFORM fail.integrity();
    END IF;
    v_cipher := crypto.encrypt_iv(plain, substr(key, 33, 32), iv, 'aes-cbc/pad:pkcs'::text);
    RETURN E'\\x01'::bytea || iv || v_cipher
        || substr(crypto.hmac(aad || iv || v_cipher || int8send(octet_length(aad)::bigint * 8),
                              substr(key, 1, 32), 'sha512'::text), 1, 32);
END
$$;
COMMENT ON FUNCTION rule.crypto_encrypt(bytea, bytea, bytea, bytea) IS
    'Encrypts plain under a key of 64 bytes (32 MAC, 32 AES) with a given IV of 16 bytes: 01 || '
    'IV || AES-256-CBC || first 32 bytes of HMAC-SHA512(aad || IV || ciphertext || bit length of '
    'aad). RFC 7518, 5.2.2.1.';

CREATE FUNCTION rule.crypto_encrypt(key bytea, aad bytea, plain bytea)
RETURNS bytea
LANGUAGE sql VOLATILE
AS $$
    SELECT rule.crypto_encrypt(key, aad, plain, crypto.gen_random_bytes(16))
$$;
COMMENT ON FUNCTION rule.crypto_encrypt(bytea, bytea, bytea) IS
    'Encrypts plain, or wraps a key given as plain, under a key of 64 bytes with a fresh random '
    'IV.';

CREATE FUNCTION rule.crypto_decrypt(key bytea, aad bytea, encrypted bytea)
RETURNS bytea
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_length CONSTANT integer := octet_length(encrypted);
    v_nonce  bytea;
BEGIN
    IF octet_length(key) IS DISTINCT FROM 64 OR aad IS NULL
        OR v_length IS NULL OR v_length < 65 OR (v_length - 49) % 16 <> 0
        OR get_byte(encrypted, 0) <> 1 THEN
        PERFORM fail.integrity();
    END IF;
    -- The tags are hashed with a random prefix: the time it takes to compare them says nothing
    -- about where they differ.
    v_nonce := crypto.gen_random_bytes(16);
    IF sha256(v_nonce || substr(encrypted, v_length - 31)) IS DISTINCT FROM
       sha256(v_nonce || substr(crypto.hmac(aad || substr(encrypted, 2, v_length - 33)
                                                || int8send(octet_length(aad)::bigint * 8),
                                            substr(key, 1, 32), 'sha512'::text), 1, 32)) THEN
        PERFORM fail.integrity();
    END IF;
    RETURN crypto.decrypt_iv(substr(encrypted, 18, v_length - 49), substr(key, 33, 32),
                             substr(encrypted, 2, 16),
                             'aes-cbc/pad:pkcs'::text);
END
$$;
COMMENT ON FUNCTION rule.crypto_decrypt(bytea, bytea, bytea) IS
    'Decrypts, or unwraps, what rule.crypto_encrypt made under the same key and associated data; '
    'one refusal for every cause.';

CREATE FUNCTION rule.crypto_dek()
RETURNS bytea
LANGUAGE sql VOLATILE
AS $$
    SELECT crypto.gen_random_bytes(64)
$$;
COMMENT ON FUNCTION rule.crypto_dek() IS
    'Makes a data-encryption key: 64 random bytes, used for one payload only.';
