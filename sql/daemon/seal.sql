-- How a seal gets its signature.

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
    'Seals what is due, and gives the first seals that have no signature, with the id of the key '
    'to sign them with, null if nobody has made one yet.';

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
