CREATE FUNCTION job.audit_seal(transactions bigint DEFAULT 50000)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_last  audit.seal;
    v_end   bigint;
    v_to    bigint;
    v_count bigint;
BEGIN
    IF NOT rule.seal_lock() THEN
        RETURN 0;
    END IF;
    PERFORM rule.audit_settle();
    SELECT * INTO v_last FROM audit.seal s ORDER BY s.no DESC LIMIT 1;
    -- Transactions below it have ended: no more rows can come. The order of ids does not give that.
    v_end := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
    v_to := least(v_end, v_last.xid_to + transactions);
    IF v_to <= v_last.xid_to THEN
        RETURN 0;
    END IF;
    v_count := rule.seal_rows(v_last.epoch, v_last.xid_to, v_to);
    -- A quiet time leaves no seal each second, but is passed over in long strides when other
    -- databases are busy.
    IF v_count = 0 AND v_to < v_end THEN
        PERFORM rule.seal_append(v_last.epoch, date_trunc('month', now() AT TIME ZONE 'UTC')::date,
                                 v_last.xid_to, v_to, 0, sha256(''));
    END IF;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION job.audit_seal(bigint) IS
    'Seals what of the audit is complete and not sealed, of at most so many transactions; gives '
    'the number of rows, 0 if another instance is at it.';
