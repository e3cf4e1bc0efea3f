-- Seal a payload as the next version of a secret.
CREATE FUNCTION endpoint.secret_version_create(caller rule.caller, request jsonb, key bytea,
                                               data bytea)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{
        path.secret_id!, body.description, body.disable_previous,
        body.data_crc32, data.data!}', data);
    v_secret   store.secret :=
        rule.secret_require_for_change(caller, request, v_argument.secret_id, 'create',
                                       'secret_version');
    v_now      CONSTANT timestamptz := clock_timestamp();
    v_ephemeral rule.ephemeral_properties;
    v_revision CONSTANT integer := v_secret.last_revision + 1;
    v_kek_id   uuid;
    v_dek      bytea;
    v_sealed   bytea;
    v_wrapped  bytea;
BEGIN
    PERFORM rule.secret_require_usable(v_secret);
    PERFORM rule.payload_require_type(v_secret.type, data);
    PERFORM rule.quota_require_room(caller.organization_id, 'secret_version',
        (SELECT count(*) FROM store.version v WHERE v.secret_id = v_secret.id));
    v_kek_id := rule.key_for_new_version(v_secret, request, key);

    IF v_argument.disable_previous THEN
        UPDATE store.version v SET status = 'disabled', updated_at = v_now
         WHERE v.secret_id = v_secret.id AND v.status = 'enabled'
           AND v.revision
               = (SELECT max(p.revision) FROM store.version p WHERE p.secret_id = v_secret.id);
    END IF;
    v_ephemeral := rule.ephemeral_properties_from_policy(v_secret, v_now);
    -- Sealed in variables first: plaintext never stands in a statement that writes.
    v_dek := rule.crypto_dek();
    v_sealed := rule.crypto_encrypt(
        v_dek, rule.crypto_aad('pay', v_secret.project_id, v_secret.id, v_revision, NULL),
        rule.payload_encode(data, v_argument.data_crc32));
    v_wrapped := rule.crypto_encrypt(
        key, rule.crypto_aad('dek', v_secret.project_id, v_secret.id, v_revision, v_kek_id), v_dek);
    UPDATE store.secret s SET last_revision = v_revision WHERE s.id = v_secret.id;
    INSERT INTO store.version (secret_id, revision, status, description, expires_at,
                               expires_once_accessed, action, recoverable, created_at, updated_at,
                               sealed)
    VALUES (v_secret.id, v_revision, 'enabled', coalesce(v_argument.description, ''),
            v_ephemeral.expires_at, v_ephemeral.expires_once_accessed, v_ephemeral.action,
            v_ephemeral.recoverable, v_now, v_now, v_sealed);
    INSERT INTO store.dek (secret_id, revision, kek_id, wrapped)
    VALUES (v_secret.id, v_revision, v_kek_id, v_wrapped);

    RETURN rule.outcome_of_version(v_secret, v_revision, request);
END
$$;
COMMENT ON FUNCTION endpoint.secret_version_create(rule.caller, jsonb, bytea, bytea) IS
    'Seals a payload under a new key as the next revision of a secret; refuses what its type, its '
    'checksum, its size or the quota forbids.';
