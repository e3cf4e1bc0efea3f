-- How a seal gets its signature: the private key is in the daemon, and never here.

CREATE FUNCTION daemon.signer_get()
RETURNS TABLE (signer text, root_id text, wrapped bytea)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.id, s.root_id, s.wrapped FROM store.signer s WHERE s.retired_at IS NULL
$$;
COMMENT ON FUNCTION daemon.signer_get() IS 'Gives the wrapped key that seals are signed with; no row if nobody has made one yet.';

CREATE FUNCTION daemon.signer_keep(new_public_key bytea, new_root_id text, new_wrapped bytea)
RETURNS TABLE (signer text, root_id text, wrapped bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF rule.root_key_hold(new_root_id) THEN
        INSERT INTO store.signer (id, public_key, root_id, wrapped)
        VALUES (encode(substr(sha256(new_public_key), 1, 8), 'hex'), new_public_key, new_root_id, new_wrapped)
            ON CONFLICT DO NOTHING;
    END IF;
    RETURN QUERY SELECT * FROM daemon.signer_get();
END
$$;
COMMENT ON FUNCTION daemon.signer_keep(bytea, text, bytea) IS
    'Keeps a new key for signing seals if there is none; gives the one that is kept, whoever made it; no row if there is none, for the new one is not under the active root key.';

CREATE FUNCTION daemon.seal_begin()
RETURNS TABLE (no bigint, hash bytea, signer text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM job.audit_seal();
    RETURN QUERY SELECT s.no, s.hash, (SELECT k.id FROM store.signer k WHERE k.retired_at IS NULL)
                   FROM audit.seal s WHERE s.signature IS NULL AND s.anchored_at IS NULL
                  ORDER BY s.no LIMIT 100;
END
$$;
COMMENT ON FUNCTION daemon.seal_begin() IS
    'Seals what is due, and gives the first seals that have no signature, with the id of the key to sign them with, null if nobody has made one yet.';

CREATE FUNCTION daemon.seal_sign(no bigint, signer text, signature bytea)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE audit.seal s SET signer = seal_sign.signer, signature = seal_sign.signature
     WHERE s.no = seal_sign.no AND s.signature IS NULL;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION daemon.seal_sign(bigint, text, bytea) IS
    'Adds to a seal the Ed25519 signature over its hash; false: another instance was first.';

CREATE FUNCTION daemon.anchor_begin(instance uuid)
RETURNS SETOF audit.seal
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now CONSTANT timestamptz := clock_timestamp();
BEGIN
    -- In order, and one instance at a time: a seal goes out once. Of an instance that took one and was not heard of for
    -- a minute, another takes it over, and then it may go out twice, the same.
    RETURN QUERY
        UPDATE audit.seal s SET instance = anchor_begin.instance, taken_at = v_now
         WHERE s.no = (SELECT o.no FROM audit.seal o WHERE o.anchored_at IS NULL ORDER BY o.no LIMIT 1)
           AND s.signature IS NOT NULL
           AND (s.instance IS NULL OR s.instance = anchor_begin.instance OR s.taken_at < v_now - interval '1 minute')
        RETURNING s.*;
END
$$;
COMMENT ON FUNCTION daemon.anchor_begin(uuid) IS
    'Gives an instance the next signed seal to write down outside of the database; no row if there is none, or another instance is at it.';

CREATE FUNCTION daemon.anchor_end(no bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE audit.seal s SET anchored_at = clock_timestamp() WHERE s.no = anchor_end.no AND s.anchored_at IS NULL;
END
$$;
COMMENT ON FUNCTION daemon.anchor_end(bigint) IS
    'Notes that a seal is written down outside of the database.';
