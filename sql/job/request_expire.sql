CREATE FUNCTION job.request_expire(batch integer DEFAULT 100)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_before CONSTANT timestamptz := clock_timestamp() - interval '1 day';
    v_count  bigint;
BEGIN
    DELETE FROM store.request r
     WHERE r.id = ANY (ARRAY(SELECT e.id FROM store.request e WHERE e.at < v_before
                              ORDER BY e.at LIMIT batch));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION job.request_expire(integer) IS
    'Forgets at most batch answers of changes that are older than a day, when no daemon can ask '
    'for them any more; gives their number.';
