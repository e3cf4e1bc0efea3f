CREATE FUNCTION job.secret_purge(batch integer DEFAULT 100)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_before   CONSTANT timestamptz := clock_timestamp() - rule.setting('purge_after')::interval;
    v_secret   store.secret;
    v_versions bigint := 0;
    v_count    bigint := 0;
BEGIN
    FOR v_secret IN
        SELECT s.* FROM store.secret s WHERE s.deletion_requested_at <= v_before
         ORDER BY s.deletion_requested_at LIMIT batch FOR UPDATE SKIP LOCKED
    LOOP
        -- A secret goes whole, but those with many versions do not make one transaction long
        -- together.
        EXIT WHEN v_versions >= 20 * batch;
        v_versions := v_versions + (SELECT count(*) FROM store.version v
                                    WHERE v.secret_id = v_secret.id);
        DELETE FROM store.secret s WHERE s.id = v_secret.id;
        PERFORM rule.audit_write_job('job.secret_purge', v_secret, NULL);
        v_count := v_count + 1;
    END LOOP;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION job.secret_purge(integer) IS
    'Removes for ever at most batch secrets that were scheduled for deletion longer ago than the '
    'setting purge_after, and none after those that had 20 times as many versions; gives their '
    'number.';
