CREATE FUNCTION job.key_purge(batch integer DEFAULT 100)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_before   CONSTANT timestamptz := clock_timestamp() - rule.setting('purge_after')::interval;
    v_key      store.managed_key;
    v_gone     bigint;
    v_versions bigint := 0;
    v_count    bigint := 0;
BEGIN
    FOR v_key IN
        SELECT k.* FROM store.managed_key k WHERE k.deletion_requested_at <= v_before
         ORDER BY k.deletion_requested_at LIMIT batch FOR UPDATE SKIP LOCKED
    LOOP
        -- A key goes whole, as a secret does.
        EXIT WHEN v_versions >= 20 * batch;
        v_gone := rule.managed_key_delete(v_key);
        PERFORM rule.audit_write_job('job.key_purge', v_key,
                                     jsonb_build_object('versions', v_gone));
        v_versions := v_versions + v_gone;
        v_count := v_count + 1;
    END LOOP;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION job.key_purge(integer) IS
    'Destroys at most batch managed keys that were scheduled for deletion longer ago than the '
    'setting purge_after, and with each what makes the versions under it readable, and none after '
    'those that had 20 times as many versions; gives their number.';
