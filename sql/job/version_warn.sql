CREATE FUNCTION job.version_warn(batch integer DEFAULT 100)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_warning store.expiry_warning;
    v_due     record;
    v_to      timestamptz;
    v_count   bigint := 0;
BEGIN
    -- Once a minute is often enough, and lets a service that has nothing to do write nothing.
    FOR v_warning IN
        SELECT * FROM store.expiry_warning w
         WHERE w.reached < clock_timestamp() + w.days * interval '1 day' - interval '1 minute'
         ORDER BY w.days DESC
           FOR UPDATE
    LOOP
        v_to := clock_timestamp() + v_warning.days * interval '1 day';
        -- Every expiry is passed once, in the time from the last look to this one.
        FOR v_due IN
            SELECT s AS secret, v.revision, v.expires_at
              FROM store.version v JOIN store.secret s ON s.id = v.secret_id
             WHERE v.status = 'enabled' AND v.expires_at > v_warning.reached AND v.expires_at <= v_to
             ORDER BY v.expires_at
             FETCH FIRST batch ROWS WITH TIES
        LOOP
            PERFORM rule.audit_write_job('job.version_warn', v_due.secret, v_due.revision,
                                         jsonb_build_object('days', v_warning.days,
                                                            'expires_at', rule.render_time(v_due.expires_at)));
            v_warning.reached := v_due.expires_at;
            v_count := v_count + 1;
        END LOOP;
        UPDATE store.expiry_warning w
           SET reached = CASE WHEN v_count < batch THEN v_to ELSE v_warning.reached END
         WHERE w.days = v_warning.days;
        EXIT WHEN v_count >= batch;
    END LOOP;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION job.version_warn(integer) IS
    'Writes an audit row, which is in the feed of changes, for each enabled version that from now on has less than 30, 7 or 1 days left; about batch of them, and gives their number. One that is made or changed to expire sooner than that is not warned of.';
