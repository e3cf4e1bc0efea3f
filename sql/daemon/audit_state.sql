CREATE FUNCTION daemon.audit_state()
RETURNS TABLE (seal_lag bigint, unanchored bigint, months_ahead integer, last_change bigint,
               unsealed bigint, anchor_lag bigint,
               epoch integer, seal bigint, seal_hash bytea, sealed_to bigint, xid_end bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now     CONSTANT timestamptz := clock_timestamp();
    v_settled CONSTANT bigint := (SELECT t.id FROM audit.settled t);
    v_month   date := date_trunc('month', now() AT TIME ZONE 'UTC');
    v_last    audit.seal;
    v_at      timestamptz;
    v_id      bigint;
    v_oldest  timestamptz;
BEGIN
    -- Each instance asks each second, and more so when something is wrong: so each answer is the
    -- first entry of an index, and what there is of a kind is not counted, but reckoned from the
    -- first number and the last.
    SELECT * INTO v_last FROM audit.seal s ORDER BY s.no DESC LIMIT 1;
    epoch := v_last.epoch;
    seal := v_last.no;
    seal_hash := v_last.hash;
    sealed_to := v_last.xid_to;
    xid_end := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
    SELECT e.at, e.id INTO v_at, v_id FROM audit.event e
     WHERE e.epoch = v_last.epoch AND e.xid >= v_last.xid_to ORDER BY e.xid, e.id LIMIT 1;
    SELECT coalesce(q.last_value - v_id + 1, 0) INTO unsealed FROM audit.event_id q;

    SELECT s.sealed_at INTO v_oldest FROM audit.seal s WHERE s.signature IS NULL ORDER BY s.no
     LIMIT 1;
    seal_lag := coalesce(ceil(extract(epoch FROM v_now - coalesce(v_oldest, v_at))), 0);

    -- Seals are anchored in their order.
    SELECT v_last.no - s.no + 1, ceil(extract(epoch FROM v_now - s.sealed_at)) INTO unanchored,
           anchor_lag
      FROM audit.seal s WHERE s.anchored_at IS NULL ORDER BY s.no LIMIT 1;
    unanchored := coalesce(unanchored, 0);
    anchor_lag := coalesce(anchor_lag, 0);

    last_change := (SELECT c.id FROM auditor.change c WHERE c.id <= v_settled ORDER BY c.id DESC
                    LIMIT 1);
    months_ahead := -1;
    WHILE to_regclass(format('audit.%I', rule.audit_partition(v_month))) IS NOT NULL LOOP
        months_ahead := months_ahead + 1;
        v_month := v_month + interval '1 month';
    END LOOP;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION daemon.audit_state() IS
    'Says how many seconds old the oldest row is that no signed seal covers (0 if there is none), '
    'how many seals are not anchored, for how many months after this one the audit has '
    'partitions, the id of the last change that auditor.changes can give, about how many rows no '
    'seal covers, how many seconds old the oldest seal is that is not anchored, and what a daemon '
    'keeps in mind of the database: epoch, number, hash and end of its last seal, and the '
    'transaction number that is above all that have ended.';
