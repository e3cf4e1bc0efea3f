-- The access key of a secret: what the daemon derived it from must be what the row asks for.

CREATE FUNCTION rule.key_fits(secret_id uuid, kek_id uuid, request jsonb, key bytea)
RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT coalesce(key IS NOT NULL AND request #>> '{key,secret_id}' = secret_id::text
                    AND request #>> '{key,kek_id}' = kek_id::text, false)
$$;
COMMENT ON FUNCTION rule.key_fits(uuid, uuid, jsonb, bytea) IS
    'Tells whether the key that came with a request was derived for this secret from this key-encryption key.';

CREATE FUNCTION rule.key_ask_for(secret store.secret, kek_id uuid, request jsonb)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_need json;
BEGIN
    -- Asked before, the daemon could not open it: the refusal is that of all that does not open, and leaves its trace.
    IF request #>> '{key,kek_id}' = kek_id::text AND request #>> '{key,opened}' = 'false' THEN
        PERFORM fail.integrity();
    END IF;
    SELECT row_to_json(reason) INTO v_need
      FROM (SELECT 'key' AS need, secret.id AS secret_id, secret.project_id, k.id AS kek_id, k.root_id,
                   k.key_id, k.rotation, translate(encode(k.wrapped, 'base64'), E'\n', '') AS wrapped
              FROM store.kek k WHERE k.id = key_ask_for.kek_id) AS reason;
    -- None: since the caller has looked, the version was moved to another, and this one purged. Who comes again sees that.
    PERFORM fail.call_again(coalesce(v_need, '{"need":"alone"}'));
END
$$;
COMMENT ON FUNCTION rule.key_ask_for(store.secret, uuid, jsonb) IS
    'Stops the call, to be made again with the key of this secret; gives the daemon what it needs to derive it. Refuses a call whose daemon says that this does not open.';

CREATE FUNCTION rule.key_for_new_version(secret store.secret, request jsonb, key bytea)
RETURNS uuid
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_kek_id uuid;
BEGIN
    IF secret.key_id IS NOT NULL THEN
        v_kek_id := rule.managed_key_for_new_version(secret.key_id);
    ELSE
        -- Locked, so that it is not destroyed as one under which nothing is left; it may be replaced meanwhile.
        SELECT k.id INTO v_kek_id FROM store.kek k
         WHERE k.project_id = secret.project_id AND k.key_id IS NULL AND k.active FOR KEY SHARE;
        IF NOT FOUND THEN
            PERFORM fail.call_again((SELECT row_to_json(reason)
                                       FROM (SELECT 'kek' AS need, secret.id AS secret_id, secret.project_id,
                                                    rule.root_key_active() AS active_root_id) AS reason));
        END IF;
    END IF;
    IF NOT rule.key_fits(secret.id, v_kek_id, request, key) THEN
        PERFORM rule.key_ask_for(secret, v_kek_id, request);
    END IF;
    RETURN v_kek_id;
END
$$;
COMMENT ON FUNCTION rule.key_for_new_version(store.secret, jsonb, bytea) IS
    'Gives the id of the active key-encryption key of the secret''s managed key or, if it has none, of its project, under which the given key must be; stops the call if there is none yet.';
