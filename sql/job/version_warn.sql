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
             WHERE v.status = 'enabled' AND v.expires_at <= v_to
               AND (v.expires_at, v.secret_id, v.revision)
                   > (v_warning.reached, v_warning.secret_id, v_warning.revision)
             ORDER BY v.expires_at, v.secret_id, v.revision
             LIMIT batch - v_count
        LOOP
            PERFORM rule.audit_write_job(
                'job.version_warn', v_due.secret, v_due.revision,
                jsonb_build_object('days', v_warning.days,
                                   'expires_at', rule.render_time(v_due.expires_at)));
            v_warning.reached := v_due.expires_at;
            v_warning.secret_id := (v_due.secret).id;
            v_warning.revision := v_due.revision;
            v_count := v_count + 1;
        END LOOP;
        -- A batch may end among many that expire at one instant: the next goes on after the last of
        -- them.
        IF v_count >= batch THEN
            UPDATE store.expiry_warning w
               SET reached = v_warning.reached, secret_id = v_warning.secret_id,
                   revision = v_warning.revision
             WHERE w.days = v_warning.days;
            EXIT;
        END IF;
        UPDATE store.expiry_warning w SET reached = v_to, secret_id = DEFAULT, revision = DEFAULT
        WHERE w.days = v_warning.days;
    END LOOP;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION job.version_warn(integer) IS
    'Writes an audit row, which is in the feed of changes, for each enabled version that from now '
    'on has less than 30, 7 or 1 days left; at most batch of them, and gives their number. One '
    'that is made or changed to expire sooner than that is not warned of.';
