-- Reading a value: the one way on which plaintext leaves.

CREATE FUNCTION rule.access(secret store.secret, revision text, request jsonb, key bytea)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_secret  store.secret := secret;
    v_version rule.version_now;
    v_wrapped bytea;
    v_kek     store.kek;
    v_frame   bytea;
BEGIN
    PERFORM rule.secret_must_be_usable(v_secret);
    v_version := rule.version_of(v_secret, revision);
    IF v_version.expires_once_accessed THEN
        -- One reader only: who gets the lock first. What was seen before it is seen again under it.
        SELECT * INTO v_secret FROM store.secret s WHERE s.id = secret.id FOR UPDATE;
        IF NOT FOUND THEN
            PERFORM fail.not_found('secret', secret.id::text);
        END IF;
        PERFORM rule.secret_must_be_usable(v_secret);
        v_version := rule.version_of(v_secret, revision);
    END IF;
    PERFORM rule.version_must_be(v_version, 'enabled');

    SELECT d.wrapped, k.id, k.root_id, k.wrapped INTO v_wrapped, v_kek.id, v_kek.root_id, v_kek.wrapped
      FROM store.dek d JOIN store.kek k ON k.id = d.kek_id
     WHERE d.secret_id = v_secret.id AND d.revision = v_version.revision;
    IF NOT FOUND THEN       -- purged since it was looked up
        PERFORM fail.not_found('secret_version', revision);
    END IF;
    PERFORM rule.key_must_fit(v_secret, v_kek, request, key);
    v_frame := rule.open(rule.open(key,
                                   rule.aad('dek', v_secret.project_id, v_secret.id, v_version.revision, v_kek.id),
                                   v_wrapped),
                         rule.aad('pay', v_secret.project_id, v_secret.id, v_version.revision, NULL),
                         v_version.sealed);

    IF v_version.expires_once_accessed THEN
        PERFORM rule.version_act(v, clock_timestamp())
           FROM store.version v WHERE v.secret_id = v_secret.id AND v.revision = v_version.revision;
        PERFORM rule.audit_write_job('job.version_expire', v_secret, v_version.revision);
    END IF;
    RETURN rule.outcome(200, rule.render_access(v_secret, v_version.revision, v_frame), v_secret, v_version.revision);
END
$$;
COMMENT ON FUNCTION rule.access(store.secret, text, jsonb, bytea) IS
    'Opens a version for a caller who may access it and, if it can be read only once, uses it up in the same transaction.';

CREATE FUNCTION rule.render_access(secret store.secret, revision integer, frame bytea)
RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT '{"secret_id":"' || secret.id || '","revision":' || revision
        || ',"data":"' || translate(encode(rule.payload_data(frame), 'base64'), E'\n', '')
        || '","data_crc32":' || coalesce(rule.payload_crc32(frame)::text, 'null')
        || ',"type":"' || secret.type || '"}'
$$;
COMMENT ON FUNCTION rule.render_access(store.secret, integer, bytea) IS 'Writes the shape Access.';
