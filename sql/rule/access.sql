-- Reading a value: the one way on which plaintext leaves.

CREATE FUNCTION rule.access(secret store.secret, revision text, request jsonb, key bytea)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_id      CONSTANT uuid := secret.id;
    v_version rule.version_encrypted;
    v_dek     bytea;
    v_payload bytea;
BEGIN
    ASSERT NOT request ? 'once', 'an answer that holds a payload would be kept';
    v_version := rule.access_require_version(secret, revision);
    IF v_version.expires_once_accessed THEN
        -- One reader only: who gets the lock first. What was seen before it is seen again under it.
        PERFORM rule.group_refuse(request);
        secret := rule.secret_require_row(v_id);
        v_version := rule.access_require_version(secret, revision);
    END IF;
    IF NOT rule.key_fits(secret.id, v_version.kek_id, request, key) THEN
        PERFORM rule.key_challenge(secret, v_version.kek_id, request);
    END IF;
    v_dek := rule.crypto_decrypt(key,
                                 rule.crypto_aad('dek', secret.project_id, secret.id,
                                                 v_version.revision, v_version.kek_id),
                                 v_version.dek);
    v_payload := rule.crypto_decrypt(v_dek,
                                     rule.crypto_aad('pay', secret.project_id, secret.id,
                                                     v_version.revision, NULL),
                                     v_version.payload);

    IF v_version.expires_once_accessed THEN
        PERFORM rule.version_act(v, clock_timestamp())
           FROM store.version v WHERE v.secret_id = secret.id AND v.revision = v_version.revision;
        PERFORM rule.audit_write_job('job.version_expire', secret, v_version.revision);
    END IF;
    -- As rule.outcome makes it, which takes 3 us to call.
    RETURN (200, rule.access_render(secret, v_version.revision, v_payload), secret.project_id,
            secret.id, v_version.revision,
            rule.snapshot(secret, v_version.created_at, v_version.updated_at))::rule.outcome;
END
$$;
COMMENT ON FUNCTION rule.access(store.secret, text, jsonb, bytea) IS
    'Decrypts a version for a caller who may access it. If it can be read only once, uses it up '
    'in the same transaction.';

CREATE FUNCTION rule.access_require_version(secret store.secret, revision text)
RETURNS rule.version_encrypted
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_version rule.version_encrypted;
BEGIN
    IF NOT rule.secret_is_usable(secret) THEN
        PERFORM rule.secret_require_usable(secret);
    END IF;
    -- One query for all: but for the decryption it is the most expensive part of a read.
    IF revision IN ('latest', 'latest_enabled') THEN
        SELECT v.revision, v.status, v.expires_once_accessed, v.sealed, d.kek_id, d.wrapped,
               v.created_at,
               v.updated_at
          INTO v_version
          FROM rule.version_now v LEFT JOIN store.dek d ON d.secret_id = v.secret_id
              AND d.revision = v.revision
         WHERE v.secret_id = secret.id
           AND (access_require_version.revision = 'latest' OR v.status = 'enabled')
         ORDER BY v.revision DESC LIMIT 1;
    ELSIF revision::numeric <= 2147483647 THEN      -- no version has a higher number
        SELECT v.revision, v.status, v.expires_once_accessed, v.sealed, d.kek_id, d.wrapped,
               v.created_at,
               v.updated_at
          INTO v_version
          FROM rule.version_now v LEFT JOIN store.dek d ON d.secret_id = v.secret_id
              AND d.revision = v.revision
         WHERE v.secret_id = secret.id AND v.revision = access_require_version.revision::integer;
    END IF;
    IF secret.key_id IS NOT NULL AND v_version.revision IS NOT NULL THEN
        PERFORM rule.managed_key_require_usable(secret.key_id);
    END IF;
    IF v_version.dek IS NULL THEN        -- there is no such version, or no key for it
        PERFORM fail.not_found('secret_version', access_require_version.revision);
    ELSIF v_version.status <> 'enabled' THEN
        PERFORM rule.version_require_status(v_version.status, 'enabled');
    END IF;
    RETURN v_version;
END
$$;
COMMENT ON FUNCTION rule.access_require_version(store.secret, text) IS
    'Finds an enabled version as rule.version_require does, with its key; refuses one that is not '
    'there or not enabled.';

CREATE FUNCTION rule.access_render(secret store.secret, revision integer, payload bytea)
RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT '{"secret_id":"' || secret.id || '","revision":' || revision
        || ',"data":"' || translate(encode(rule.payload_data(payload), 'base64'), E'\n', '')
        || '","data_crc32":' || coalesce(textin(int8out(rule.payload_crc32(payload))), 'null')
        || ',"type":"' || secret.type || '"}'
$$;
COMMENT ON FUNCTION rule.access_render(store.secret, integer, bytea) IS 'Writes the shape Access.';
