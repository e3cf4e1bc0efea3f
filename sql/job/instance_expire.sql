CREATE FUNCTION job.instance_expire(batch integer DEFAULT 100)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_before CONSTANT timestamptz := clock_timestamp() - interval '1 day';
    v_count  bigint;
BEGIN
    DELETE FROM store.instance i
     WHERE i.id = ANY (ARRAY(SELECT e.id FROM store.instance e WHERE e.seen_at < v_before
                              ORDER BY e.seen_at LIMIT batch FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION job.instance_expire(integer) IS
    'Forgets at most batch daemons that have made no handshake for a day; gives their number. The '
    'next handshake of one makes it known again.';
