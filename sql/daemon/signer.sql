-- The key that signs seals. Its private half is stored wrapped, and only daemons unwrap it.

CREATE FUNCTION daemon.signer_get()
RETURNS TABLE (signer text, root_id text, wrapped bytea)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.id, s.root_id, s.wrapped FROM store.signer s WHERE s.retired_at IS NULL
$$;
COMMENT ON FUNCTION daemon.signer_get() IS
    'Gives the wrapped key that seals are signed with; no row if nobody has made one yet.';

CREATE FUNCTION daemon.signer_keep(new_public_key bytea, new_root_id text, new_wrapped bytea)
RETURNS TABLE (signer text, root_id text, wrapped bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF rule.root_key_hold(new_root_id) THEN
        INSERT INTO store.signer (id, public_key, root_id, wrapped)
        VALUES (encode(substr(sha256(new_public_key), 1, 8), 'hex'), new_public_key, new_root_id,
                new_wrapped)
            ON CONFLICT DO NOTHING;
    END IF;
    RETURN QUERY SELECT * FROM daemon.signer_get();
END
$$;
COMMENT ON FUNCTION daemon.signer_keep(bytea, text, bytea) IS
    'Keeps a new key for signing seals if there is none; gives the one that is kept, even one '
    'of another daemon; no row if there is none, for the new one is not under the active root key.';
