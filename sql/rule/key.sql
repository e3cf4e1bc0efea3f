-- The wrap key of a secret: the daemon must have derived it from the KEK that the row names.

CREATE FUNCTION rule.key_fits(secret_id uuid, kek_id uuid, request jsonb, key bytea)
RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT coalesce(key IS NOT NULL AND request #>> '{key,secret_id}' = secret_id::text
                    AND request #>> '{key,kek_id}' = kek_id::text, false)
$$;
COMMENT ON FUNCTION rule.key_fits(uuid, uuid, jsonb, bytea) IS
    'Tells whether the wrap key that came with a request was derived for this secret from this '
    'key-encryption key.';

CREATE FUNCTION rule.key_challenge(secret store.secret, kek_id uuid, request jsonb)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_challenge json;
BEGIN
    -- The daemon was challenged before and could not unwrap the KEK. The refusal is that of any
    -- integrity failure.
    IF request #>> '{key,kek_id}' = kek_id::text AND request #>> '{key,opened}' = 'false' THEN
        PERFORM fail.integrity();
    END IF;
    SELECT row_to_json(reason) INTO v_challenge
      FROM (SELECT 'key' AS need, secret.id AS secret_id, secret.project_id, k.id AS kek_id,
            k.root_id,
                   k.key_id, k.rotation,
                       translate(encode(k.wrapped, 'base64'), E'\n', '') AS wrapped
              FROM store.kek k WHERE k.id = key_challenge.kek_id) AS reason;
    -- No row: since the caller looked, the version has moved to another KEK, and this one was
    -- purged. The next round sees it.
    PERFORM fail.challenge(coalesce(v_challenge, '{"need":"alone"}'));
END
$$;
COMMENT ON FUNCTION rule.key_challenge(store.secret, uuid, jsonb) IS
    'Challenges the daemon for the wrap key of a secret, and gives it the wrapped KEK to derive '
    'that from. Refuses a call whose daemon could not unwrap it.';

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
        -- Locked, so that it is not destroyed as one under which nothing is left; it may be
        -- replaced meanwhile.
        SELECT k.id INTO v_kek_id FROM store.kek k
         WHERE k.project_id = secret.project_id AND k.key_id IS NULL AND k.active FOR KEY SHARE;
        IF NOT FOUND THEN
            PERFORM fail.challenge((SELECT row_to_json(reason)
                                       FROM (SELECT 'kek' AS need, secret.id AS secret_id,
                                             secret.project_id,
                                                    rule.root_key_active() AS active_root_id)
                                                        AS reason));
        END IF;
    END IF;
    IF NOT rule.key_fits(secret.id, v_kek_id, request, key) THEN
        PERFORM rule.key_challenge(secret, v_kek_id, request);
    END IF;
    RETURN v_kek_id;
END
$$;
COMMENT ON FUNCTION rule.key_for_new_version(store.secret, jsonb, bytea) IS
    'Gives the id of the active key-encryption key of the secret''s managed key or, if it has '
    'none, of its project, from which the given wrap key must be derived; challenges the daemon '
    'if there is none yet.';
