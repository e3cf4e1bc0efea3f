-- Reading a value: the one way on which plaintext leaves.

CREATE FUNCTION rule.access(secret store.secret, revision text, request jsonb, key bytea)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_id     CONSTANT uuid := secret.id;
    v_sealed rule.sealed;
    v_dek    bytea;
    v_frame  bytea;
BEGIN
    ASSERT NOT request ? 'once', 'an answer that holds a payload would be kept';
    v_sealed := rule.access_sealed(secret, revision);
    IF v_sealed.expires_once_accessed THEN
        -- One reader only: who gets the lock first. What was seen before it is seen again under it.
        PERFORM rule.group_must_not_be(request);
        SELECT * INTO secret FROM store.secret s WHERE s.id = v_id FOR UPDATE;
        IF NOT FOUND THEN
            PERFORM fail.not_found('secret', v_id::text);
        END IF;
        v_sealed := rule.access_sealed(secret, revision);
    END IF;
    IF NOT rule.key_fits(secret.id, v_sealed.kek_id, request, key) THEN
        PERFORM rule.key_ask_for(secret, v_sealed.kek_id, request);
    END IF;
    v_dek := rule.open(key, rule.aad('dek', secret.project_id, secret.id, v_sealed.revision, v_sealed.kek_id), v_sealed.dek);
    v_frame := rule.open(v_dek, rule.aad('pay', secret.project_id, secret.id, v_sealed.revision, NULL), v_sealed.payload);

    IF v_sealed.expires_once_accessed THEN
        PERFORM rule.version_act(v, clock_timestamp())
           FROM store.version v WHERE v.secret_id = secret.id AND v.revision = v_sealed.revision;
        PERFORM rule.audit_write_job('job.version_expire', secret, v_sealed.revision);
    END IF;
    -- As rule.outcome makes it, which takes 3 us to call.
    RETURN (200, rule.render_access(secret, v_sealed.revision, v_frame), secret.project_id, secret.id, v_sealed.revision,
            rule.snapshot(secret, v_sealed.created_at, v_sealed.updated_at))::rule.outcome;
END
$$;
COMMENT ON FUNCTION rule.access(store.secret, text, jsonb, bytea) IS
    'Opens a version for a caller who may access it and, if it can be read only once, uses it up in the same transaction.';

CREATE FUNCTION rule.access_sealed(secret store.secret, revision text)
RETURNS rule.sealed
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_sealed rule.sealed;
BEGIN
    IF NOT rule.secret_is_usable(secret) THEN
        PERFORM rule.secret_must_be_usable(secret);
    END IF;
    -- All in one query, which is the most expensive part of a read but for the opening.
    IF revision IN ('latest', 'latest_enabled') THEN
        SELECT v.revision, v.status, v.expires_once_accessed, v.sealed, d.kek_id, d.wrapped, v.created_at,
               v.updated_at
          INTO v_sealed
          FROM rule.version_now v LEFT JOIN store.dek d ON d.secret_id = v.secret_id AND d.revision = v.revision
         WHERE v.secret_id = secret.id AND (access_sealed.revision = 'latest' OR v.status = 'enabled')
         ORDER BY v.revision DESC LIMIT 1;
    ELSIF revision::numeric <= 2147483647 THEN      -- no version has a higher number
        SELECT v.revision, v.status, v.expires_once_accessed, v.sealed, d.kek_id, d.wrapped, v.created_at,
               v.updated_at
          INTO v_sealed
          FROM rule.version_now v LEFT JOIN store.dek d ON d.secret_id = v.secret_id AND d.revision = v.revision
         WHERE v.secret_id = secret.id AND v.revision = access_sealed.revision::integer;
    END IF;
    IF secret.key_id IS NOT NULL AND v_sealed.revision IS NOT NULL THEN
        PERFORM rule.managed_key_must_be_usable(secret.key_id);
    END IF;
    IF v_sealed.dek IS NULL THEN        -- there is no such version, or nothing that would open it
        PERFORM fail.not_found('secret_version', access_sealed.revision);
    ELSIF v_sealed.status <> 'enabled' THEN
        PERFORM rule.version_must_be(v_sealed.status, 'enabled');
    END IF;
    RETURN v_sealed;
END
$$;
COMMENT ON FUNCTION rule.access_sealed(store.secret, text) IS
    'Finds an enabled version as rule.version_of does, with what opens it.';

CREATE FUNCTION rule.render_access(secret store.secret, revision integer, frame bytea)
RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT '{"secret_id":"' || secret.id || '","revision":' || revision
        || ',"data":"' || translate(encode(rule.payload_data(frame), 'base64'), E'\n', '')
        || '","data_crc32":' || coalesce(textin(int8out(rule.payload_crc32(frame))), 'null')
        || ',"type":"' || secret.type || '"}'
$$;
COMMENT ON FUNCTION rule.render_access(store.secret, integer, bytea) IS 'Writes the shape Access.';
