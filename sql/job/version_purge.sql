CREATE FUNCTION job.version_purge(batch integer DEFAULT 100)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_before   CONSTANT timestamptz := clock_timestamp() - rule.setting('purge_after')::interval;
    v_secret   store.secret;
    v_revision integer;
    v_count    bigint := 0;
BEGIN
    FOR v_secret IN
        SELECT s.* FROM store.secret s
         WHERE s.id IN (SELECT v.secret_id FROM store.version v
                        WHERE v.deletion_requested_at <= v_before
                         ORDER BY v.deletion_requested_at LIMIT batch)
           FOR UPDATE SKIP LOCKED
    LOOP
        FOR v_revision IN
            DELETE FROM store.version v
             WHERE v.secret_id = v_secret.id
               AND v.revision = ANY (ARRAY(SELECT d.revision FROM store.version d
                                            WHERE d.secret_id = v_secret.id
                                              AND d.deletion_requested_at <= v_before
                                            ORDER BY d.revision LIMIT batch - v_count))
            RETURNING v.revision
        LOOP
            PERFORM rule.audit_write_job('job.version_purge', v_secret, v_revision);
            v_count := v_count + 1;
        END LOOP;
        EXIT WHEN v_count >= batch;
    END LOOP;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION job.version_purge(integer) IS
    'Removes for ever at most batch versions that were scheduled for deletion longer ago than the '
    'setting purge_after; gives their number.';
