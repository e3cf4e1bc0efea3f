-- Keys of the Key Manager: finding one for a caller, what its state allows, and its material, which
-- only daemons unwrap.

CREATE FUNCTION rule.managed_key_require(caller rule.caller, request jsonb, key_id uuid,
                                         action text)
RETURNS store.managed_key
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_key    store.managed_key;
    v_region CONSTANT text := request ->> 'region';
BEGIN
    SELECT * INTO v_key FROM store.managed_key k
     WHERE k.id = managed_key_require.key_id AND k.region = v_region
       AND k.organization_id = caller.organization_id;
    IF NOT FOUND THEN
        PERFORM fail.not_found('key', key_id::text);
    END IF;
    IF NOT rule.caller_may(caller, action, v_key.project_id, 'key') THEN
        PERFORM fail.permissions_denied(action, 'key');
    END IF;
    RETURN v_key;
END
$$;
COMMENT ON FUNCTION rule.managed_key_require(rule.caller, jsonb, uuid, text) IS
    'Finds a key of the caller''s organization in the region of the request, for an action that '
    'the caller must have a right to.';

CREATE FUNCTION rule.managed_key_require_for_change(caller rule.caller, request jsonb, key_id uuid,
                                                    action text)
RETURNS store.managed_key
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_key    store.managed_key;
    v_region CONSTANT text := request ->> 'region';
BEGIN
    SELECT * INTO v_key FROM store.managed_key k
     WHERE k.id = managed_key_require_for_change.key_id AND k.region = v_region
       AND k.organization_id = caller.organization_id
       FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM fail.not_found('key', key_id::text);
    END IF;
    PERFORM rule.caller_require_right(caller, action, 'key', v_key.project_id);
    RETURN v_key;
END
$$;
COMMENT ON FUNCTION rule.managed_key_require_for_change(rule.caller, jsonb, uuid, text) IS
    'Does as rule.managed_key_require, and locks the key: until the end of the transaction nobody '
    'else changes it, and no version is made under it.';

CREATE FUNCTION rule.managed_key_state(key store.managed_key)
RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE
        WHEN key.deletion_requested_at IS NOT NULL THEN 'scheduled_for_deletion'
        WHEN key.enabled THEN 'enabled'
        ELSE 'disabled'
    END
$$;
COMMENT ON FUNCTION rule.managed_key_state(store.managed_key) IS
    'Gives the state of a key: enabled, disabled or scheduled_for_deletion.';

CREATE FUNCTION rule.managed_key_require_state(key store.managed_key, VARIADIC allowed text[])
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF rule.managed_key_state(key) <> ALL (allowed) THEN
        PERFORM rule.managed_key_refuse_state(key.id);
    END IF;
END
$$;
COMMENT ON FUNCTION rule.managed_key_require_state(store.managed_key, text[]) IS
    'Refuses a key whose state is none of those allowed.';

CREATE FUNCTION rule.managed_key_refuse_state(key_id uuid)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    PERFORM fail.precondition_failed('resource_not_usable',
                                     format('key %s is in an invalid state', key_id));
END
$$;
COMMENT ON FUNCTION rule.managed_key_refuse_state(uuid) IS
    'Refuses what the state of a key forbids, or that the key has been purged.';

-- Secrets under a key -----------------------------------------------------------------------------

CREATE FUNCTION rule.managed_key_require_for_secret(secret_key_id uuid, project_id uuid,
                                                    region text)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM store.managed_key k
                    WHERE k.id = secret_key_id
                      AND k.project_id = managed_key_require_for_secret.project_id
                      AND k.region = managed_key_require_for_secret.region) THEN
        PERFORM fail.not_found('key', secret_key_id::text);
    END IF;
END
$$;
COMMENT ON FUNCTION rule.managed_key_require_for_secret(uuid, uuid, text) IS
    'Refuses, for a secret, a key that is not of its project and region; the state of the key '
    'does not matter yet.';

CREATE FUNCTION rule.managed_key_require_usable(secret_key_id uuid)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM store.managed_key k
                    WHERE k.id = secret_key_id AND k.enabled AND k.deletion_requested_at IS NULL)
                          THEN
        PERFORM rule.managed_key_refuse_state(secret_key_id);
    END IF;
END
$$;
COMMENT ON FUNCTION rule.managed_key_require_usable(uuid) IS
    'Refuses to read what is under a key that is not enabled, or has been purged.';

CREATE FUNCTION rule.managed_key_for_new_version(secret_key_id uuid)
RETURNS uuid
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_key store.managed_key;
BEGIN
    -- Shared with other versions, but a rotation, a change of state and the purge wait for it, and
    -- it for them: what it sees of the key holds until it commits.
    SELECT * INTO v_key FROM store.managed_key k WHERE k.id = secret_key_id FOR SHARE;
    IF NOT FOUND OR rule.managed_key_state(v_key) <> 'enabled' THEN
        PERFORM rule.managed_key_refuse_state(secret_key_id);
    END IF;
    RETURN (SELECT k.id FROM store.kek k WHERE k.key_id = v_key.id AND k.active);
END
$$;
COMMENT ON FUNCTION rule.managed_key_for_new_version(uuid) IS
    'Gives the key-encryption key that is the newest rotation of a key; refuses one that is not '
    'enabled, or has been purged.';

-- Material ----------------------------------------------------------------------------------------

CREATE FUNCTION rule.managed_key_challenge_material(key_id uuid, project_id uuid, rotation integer)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    PERFORM fail.challenge((SELECT row_to_json(reason)
                               FROM (SELECT 'material' AS need, key_id, project_id, rotation,
                                            rule.root_key_active() AS active_root_id) AS reason));
END
$$;
COMMENT ON FUNCTION rule.managed_key_challenge_material(uuid, uuid, integer) IS
    'Challenges the daemon for new material for this rotation of this key, wrapped under the '
    'active root key.';

CREATE FUNCTION rule.managed_key_rotate(key store.managed_key, kek_id uuid, root_id text,
                                        wrapped bytea)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_now CONSTANT timestamptz := clock_timestamp();
BEGIN
    UPDATE store.kek k SET active = false WHERE k.key_id = key.id AND k.active;
    INSERT INTO store.kek (id, project_id, root_id, wrapped, key_id, rotation)
    VALUES (kek_id, key.project_id, root_id, wrapped, key.id, key.rotation_count + 1);
    UPDATE store.managed_key k
       SET rotation_count = key.rotation_count + 1, rotated_at = v_now, updated_at = v_now
     WHERE k.id = key.id;
END
$$;
COMMENT ON FUNCTION rule.managed_key_rotate(store.managed_key, uuid, text, bytea) IS
    'Gives a key, which the caller has locked, a new rotation; older ones stay, for what is under '
    'them.';

CREATE FUNCTION rule.managed_key_delete(key store.managed_key)
RETURNS bigint
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_gone  bigint;
    v_count bigint := 0;
BEGIN
    -- A daemon may move some to the newest rotation meanwhile; none comes anew, for the caller has
    -- locked the key.
    LOOP
        DELETE FROM store.dek d USING store.kek k WHERE k.key_id = key.id AND d.kek_id = k.id;
        GET DIAGNOSTICS v_gone = ROW_COUNT;
        v_count := v_count + v_gone;
        EXIT WHEN NOT EXISTS (SELECT FROM store.dek d JOIN store.kek k ON k.id = d.kek_id
                              WHERE k.key_id = key.id);
    END LOOP;
    DELETE FROM store.kek k WHERE k.key_id = key.id;
    DELETE FROM store.managed_key k WHERE k.id = key.id;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION rule.managed_key_delete(store.managed_key) IS
    'Destroys a key, which the caller has locked FOR UPDATE, with all its rotations and the '
    'data-encryption keys under them: those versions are unreadable for ever; gives their number.';

-- Ciphers -----------------------------------------------------------------------------------------
-- The daemon has plaintext and unwrapped keys. These functions decide whether it may, and with
-- which rotation.

CREATE FUNCTION rule.managed_key_rotation(key_id uuid, rotation bigint)
RETURNS rule.rotation
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_rotation rule.rotation;
BEGIN
    SELECT k.rotation, k.id, k.root_id, k.wrapped INTO v_rotation
      FROM store.kek k WHERE k.key_id = managed_key_rotation.key_id
          AND k.rotation = managed_key_rotation.rotation;
    RETURN v_rotation;
END
$$;
COMMENT ON FUNCTION rule.managed_key_rotation(uuid, bigint) IS
    'Gives a rotation of a key by its number; null if there is none.';

CREATE FUNCTION rule.managed_key_cipher(key store.managed_key, request jsonb, rotation bigint)
RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_newest CONSTANT rule.rotation := rule.managed_key_rotation(key.id, key.rotation_count);
    v_named  rule.rotation;
    v_cipher CONSTANT jsonb := request -> 'cipher';
BEGIN
    IF rotation <> key.rotation_count THEN
        IF rotation NOT BETWEEN 1 AND key.rotation_count THEN
            PERFORM rule.managed_key_refuse_ciphertext();
        END IF;
        v_named := rule.managed_key_rotation(key.id, rotation);
    END IF;
    -- Rotations stay as long as their key: one that is not there was taken away.
    IF v_newest IS NULL OR rotation <> key.rotation_count AND v_named IS NULL THEN
        PERFORM fail.integrity();
    END IF;
    -- Work with a rotation that is no more the newest is done again.
    IF v_cipher ->> 'kek_id' IS DISTINCT FROM v_newest.kek_id::text
        OR v_cipher ->> 'rotation' IS DISTINCT FROM v_newest.rotation::text THEN
        PERFORM fail.challenge((
            SELECT row_to_json(reason)
              FROM (SELECT 'cipher' AS need, key.id AS key_id, key.project_id,
                           ARRAY(SELECT rule.render_rotation(k.rotation)
                                   FROM (VALUES (1, v_newest), (2, v_named)) AS k(place, rotation)
                                  WHERE (k.rotation).kek_id IS NOT NULL
                                  ORDER BY k.place) AS keys) AS reason));
    ELSIF v_cipher ->> 'opened' = 'false' THEN
        PERFORM fail.integrity();
    ELSIF v_cipher ->> 'sound' IS DISTINCT FROM 'true' THEN
        PERFORM rule.managed_key_refuse_ciphertext();
    END IF;
    RETURN v_cipher ->> 'ciphertext';
END
$$;
COMMENT ON FUNCTION rule.managed_key_cipher(store.managed_key, jsonb, bigint) IS
    'Gives the ciphertext that a daemon has made under the newest rotation of a key, null if it '
    'has none to answer. Challenges the daemon until it has, with that rotation and the one that '
    'the ciphertext of the request names. Refuses a ciphertext that cannot be decrypted and a '
    'rotation that cannot be unwrapped.';

CREATE FUNCTION rule.managed_key_refuse_ciphertext()
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    PERFORM fail.invalid_argument('ciphertext', 'constraint',
                                  'cipher: message authentication failed');
END
$$;
COMMENT ON FUNCTION rule.managed_key_refuse_ciphertext() IS
    'Refuses a ciphertext that cannot be decrypted, in the same words for every cause.';
