CREATE FUNCTION job.kek_purge(batch integer DEFAULT 100)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_kek   store.kek;
    v_count bigint := 0;
BEGIN
    FOR v_kek IN
        -- But for rotations of managed keys: callers have ciphertexts under them.
        SELECT k.* FROM store.kek k
         WHERE NOT k.active AND k.key_id IS NULL
           AND NOT EXISTS (SELECT FROM store.dek d WHERE d.kek_id = k.id)
         ORDER BY k.id LIMIT batch FOR UPDATE SKIP LOCKED
    LOOP
        -- Looked at again under the lock: a version that was being made may have come meanwhile.
        DELETE FROM store.kek k WHERE k.id = v_kek.id
            AND NOT EXISTS (SELECT FROM store.dek d WHERE d.kek_id = k.id);
        IF FOUND THEN
            PERFORM rule.audit_write_operator('job.kek_purge',
                (SELECT p.organization_id FROM store.project p WHERE p.id = v_kek.project_id),
                    v_kek.project_id, NULL,
                jsonb_build_object('kek_id', v_kek.id));
            v_count := v_count + 1;
        END IF;
    END LOOP;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION job.kek_purge(integer) IS
    'Destroys at most batch old key-encryption keys of projects under which nothing is left; '
    'gives their number.';
