-- Data-encryption keys under a key-encryption key that is no more active move to the one that is.
-- The daemon brings for each secret the wrap keys that it derived from the old one and from the new
-- one. Payloads are not touched.

CREATE FUNCTION daemon.dek_due(after uuid, batch integer)
RETURNS TABLE (secret_id uuid, project_id uuid, old_id uuid, old_root_id text, old_wrapped bytea,
               new_id uuid, new_root_id text, new_wrapped bytea, key_id uuid, old_rotation integer,
                   new_rotation integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
        SELECT due.secret_id, o.project_id, o.id, o.root_id, o.wrapped, n.id, n.root_id, n.wrapped,
               o.key_id, o.rotation, n.rotation
          FROM (SELECT DISTINCT d.secret_id, d.kek_id
                  FROM store.dek d JOIN store.kek k ON k.id = d.kek_id AND NOT k.active
                 WHERE after IS NULL OR d.secret_id > after
                 ORDER BY d.secret_id, d.kek_id LIMIT batch) AS due
          JOIN store.kek o ON o.id = due.kek_id
          -- The newest rotation of the same managed key, or the project's own key.
          JOIN store.kek n ON n.project_id = o.project_id AND n.key_id IS NOT DISTINCT FROM o.key_id
              AND n.active
         ORDER BY due.secret_id, due.kek_id;
END
$$;
COMMENT ON FUNCTION daemon.dek_due(uuid, integer) IS
    'Gives at most batch secrets, with ids after that one, that have data-encryption keys under '
    'an old key-encryption key; with the old key and the new one, wrapped.';

CREATE FUNCTION daemon.dek_rewrap(secret_ids uuid[], old_ids uuid[], new_ids uuid[],
                                  old_keys bytea[], new_keys bytea[])
RETURNS TABLE (moved bigint, broken bigint, more boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_due     record;
    v_wrapped bytea;
    -- so that it is no long transaction, however many versions a secret has
    v_most    CONSTANT bigint := 2000;
BEGIN
    moved := 0;
    broken := 0;
    FOR i IN 1..cardinality(secret_ids) LOOP
        FOR v_due IN
            SELECT s.project_id, d.revision, d.wrapped FROM store.dek d JOIN store.secret s
                   ON s.id = d.secret_id
             WHERE d.secret_id = secret_ids[i] AND d.kek_id = old_ids[i]
             ORDER BY d.revision LIMIT v_most - moved - broken
               FOR NO KEY UPDATE OF d SKIP LOCKED
        LOOP
            BEGIN
                v_wrapped := rule.crypto_encrypt(new_keys[i],
                    rule.crypto_aad('dek', v_due.project_id, secret_ids[i], v_due.revision,
                                    new_ids[i]),
                    rule.crypto_decrypt(old_keys[i],
                                        rule.crypto_aad('dek', v_due.project_id, secret_ids[i],
                                                        v_due.revision, old_ids[i]),
                              v_due.wrapped));
                UPDATE store.dek d SET kek_id = new_ids[i], wrapped = v_wrapped
                 WHERE d.secret_id = secret_ids[i] AND d.revision = v_due.revision;
                moved := moved + 1;
            EXCEPTION
                -- What somebody has tampered with stays where it is, and does not keep the others
                -- from moving.
                WHEN SQLSTATE 'SM101' THEN
                    broken := broken + 1;
            END;
        END LOOP;
    END LOOP;
    more := moved > 0 AND moved + broken >= v_most;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION daemon.dek_rewrap(uuid[], uuid[], uuid[], bytea[], bytea[]) IS
    'Wraps the data-encryption keys of secrets under new wrap keys: at most 2000, and none that '
    'another session is moving. Gives how many have moved, how many cannot be unwrapped, and '
    'whether to ask for the same secrets again.';
