CREATE FUNCTION daemon.audit_state()
RETURNS TABLE (seal_lag bigint, unanchored bigint, months_ahead integer, last_change bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_month  date := date_trunc('month', now() AT TIME ZONE 'UTC');
    v_oldest timestamptz;
BEGIN
    -- What is not under a signature yet: seals without one, and rows beyond the last seal.
    SELECT min(s.sealed_at) INTO v_oldest FROM audit.seal s WHERE s.anchored_at IS NULL AND s.signature IS NULL;
    IF v_oldest IS NULL THEN
        SELECT min(e.at) INTO v_oldest FROM audit.event e, (SELECT s.epoch, s.xid_to FROM audit.seal s
                                                             ORDER BY s.no DESC LIMIT 1) AS last
         WHERE e.epoch = last.epoch AND e.xid >= last.xid_to;
    END IF;
    seal_lag := coalesce(ceil(extract(epoch FROM clock_timestamp() - v_oldest)), 0);
    last_change := (SELECT max(c.id) FROM auditor.change c, audit.settled t WHERE c.id <= t.id);
    unanchored := (SELECT count(*) FROM audit.seal s WHERE s.anchored_at IS NULL);
    months_ahead := -1;
    WHILE to_regclass(format('audit.%I', rule.audit_partition(v_month))) IS NOT NULL LOOP
        months_ahead := months_ahead + 1;
        v_month := v_month + interval '1 month';
    END LOOP;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION daemon.audit_state() IS
    'Says how many seconds old the oldest row is that no signed seal covers (0 if there is none), how many seals are not anchored, for how many months after this one the audit has partitions, and the id of the last change that auditor.changes can give.';
