-- How a signed seal leaves the database.

CREATE FUNCTION daemon.anchor_begin(instance uuid)
RETURNS SETOF audit.seal
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now CONSTANT timestamptz := clock_timestamp();
BEGIN
    -- In order, and one instance at a time: a seal goes out once. Of an instance that took one and
    -- was not heard of for a minute, another takes it over, and then it may go out twice, the same.
    RETURN QUERY
        UPDATE audit.seal s SET instance = anchor_begin.instance, taken_at = v_now
         WHERE s.no = (SELECT o.no FROM audit.seal o WHERE o.anchored_at IS NULL ORDER BY o.no
                       LIMIT 1)
           AND s.signature IS NOT NULL
           AND (s.instance IS NULL OR s.instance = anchor_begin.instance
                OR s.taken_at < v_now - interval '1 minute')
        RETURNING s.*;
END
$$;
COMMENT ON FUNCTION daemon.anchor_begin(uuid) IS
    'Gives an instance the next signed seal to write down outside of the database; no row if '
    'there is none, or another instance is at it.';

CREATE FUNCTION daemon.anchor_end(no bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE audit.seal s SET anchored_at = clock_timestamp() WHERE s.no = anchor_end.no
        AND s.anchored_at IS NULL;
END
$$;
COMMENT ON FUNCTION daemon.anchor_end(bigint) IS
    'Notes that a seal is written down outside of the database.';
