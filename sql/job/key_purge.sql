CREATE FUNCTION job.key_purge(batch integer DEFAULT 100)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_before CONSTANT timestamptz := clock_timestamp() - rule.setting('purge_after')::interval;
    v_key    store.managed_key;
    v_count  bigint := 0;
BEGIN
    FOR v_key IN
        SELECT k.* FROM store.managed_key k WHERE k.deletion_requested_at <= v_before
         ORDER BY k.deletion_requested_at LIMIT batch FOR UPDATE SKIP LOCKED
    LOOP
        PERFORM rule.audit_write_job('job.key_purge', v_key,
                                     jsonb_build_object('versions', rule.managed_key_delete(v_key)));
        v_count := v_count + 1;
    END LOOP;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION job.key_purge(integer) IS
    'Destroys at most batch managed keys that were scheduled for deletion longer ago than the setting purge_after, and with each what makes the versions under it readable; gives their number.';
