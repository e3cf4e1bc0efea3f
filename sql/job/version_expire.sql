CREATE FUNCTION job.version_expire(batch integer DEFAULT 100)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- once: an index is not searched by a function that changes
    v_now    CONSTANT timestamptz := clock_timestamp();
    v_secret store.secret;
    v_count  bigint := 0;
BEGIN
    FOR v_secret IN
        SELECT s.* FROM store.secret s
         WHERE s.id IN (SELECT v.secret_id FROM store.version v
                         WHERE v.expires_at <= v_now
                           AND (v.status = 'enabled' OR v.action = 'delete')
                         ORDER BY v.expires_at LIMIT batch)
           FOR UPDATE SKIP LOCKED
    LOOP
        v_count := v_count + rule.version_expire(v_secret, batch - v_count);
        EXIT WHEN v_count >= batch;
    END LOOP;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION job.version_expire(integer) IS
    'Disables or removes at most batch versions that have expired; gives their number. What is in '
    'use is left to the next time.';
