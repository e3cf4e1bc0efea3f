-- The access key of a secret: what the daemon derived it from must be what the row asks for.

CREATE FUNCTION rule.key_must_fit(secret store.secret, wanted store.kek, request jsonb, key bytea)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF key IS NULL
        OR request -> 'key' ->> 'secret_id' IS DISTINCT FROM secret.id::text
        OR request -> 'key' ->> 'kek_id' IS DISTINCT FROM wanted.id::text THEN
        PERFORM fail.call_again((SELECT row_to_json(reason)
                                   FROM (SELECT 'key' AS need, secret.id AS secret_id, secret.project_id,
                                                wanted.id AS kek_id, wanted.root_id,
                                                translate(encode(wanted.wrapped, 'base64'), E'\n', '') AS wrapped) AS reason));
    END IF;
END
$$;
COMMENT ON FUNCTION rule.key_must_fit(store.secret, store.kek, jsonb, bytea) IS
    'Stops the call, to be made again, unless its key was derived for this secret from this key-encryption key; gives the daemon what it needs to derive it.';

CREATE FUNCTION rule.key_for_new_version(secret store.secret, request jsonb, key bytea)
RETURNS uuid
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_kek store.kek;
BEGIN
    -- Locked, so that it is not destroyed as one under which nothing is left; it may be replaced meanwhile.
    SELECT * INTO v_kek FROM store.kek k WHERE k.project_id = secret.project_id AND k.active FOR KEY SHARE;
    IF NOT FOUND THEN
        PERFORM fail.call_again((SELECT row_to_json(reason)
                                   FROM (SELECT 'kek' AS need, secret.id AS secret_id, secret.project_id) AS reason));
    END IF;
    PERFORM rule.key_must_fit(secret, v_kek, request, key);
    RETURN v_kek.id;
END
$$;
COMMENT ON FUNCTION rule.key_for_new_version(store.secret, jsonb, bytea) IS
    'Gives the id of the active key-encryption key of the secret''s project, under which the given key must be; stops the call if there is none yet.';
