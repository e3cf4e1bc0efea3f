CREATE FUNCTION operator.audit_epoch_begin(reason text)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_detail jsonb;
BEGIN
    IF coalesce(reason, '') = '' THEN
        PERFORM fail.operation_refused('an epoch begins for a reason',
                                       'say which backup was restored, or which server failed '
                                       'over, and why');
    ELSIF NOT rule.seal_lock() THEN
        PERFORM fail.operation_refused('a daemon is sealing at this moment', 'call again');
    END IF;
    v_detail := rule.epoch_begin(reason);
    PERFORM rule.audit_write_operator('operator.audit_epoch_begin', NULL, NULL, NULL, v_detail);
    RETURN v_detail ->> 'epoch';
END
$$;
COMMENT ON FUNCTION operator.audit_epoch_begin(text) IS
    'Begins another epoch of the audit; gives its number. It declares that a restore or a '
    'failover has lost what came after: call it first in a database that was restored, and after '
    'a failover to a standby that lagged. Daemons do not serve a database that lacks what they '
    'have seen before that.';

CREATE FUNCTION operator.audit_export_month(month date)
RETURNS SETOF audit.event
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_from CONSTANT timestamptz := rule.audit_month(month);
    v_to   CONSTANT timestamptz := rule.audit_month((month + interval '1 month')::date);
    v_last audit.seal;
BEGIN
    PERFORM rule.audit_require_month_over(month);
    -- COPY would convert the texts of the rows, and their hashes would not fit any more.
    IF pg_client_encoding() <> 'UTF8' THEN
        PERFORM fail.operation_refused(format('client_encoding is %s, and an export is in UTF8',
                                              pg_client_encoding()),
                                       'SET client_encoding = UTF8');
    END IF;
    PERFORM rule.seal_wait();
    SELECT * INTO v_last FROM audit.seal s ORDER BY s.no DESC LIMIT 1;
    PERFORM rule.audit_require_month_sealed(month);
    -- Over the seals of the month: who has the file sees whether some are missing, at its end too.
    PERFORM rule.seal_append(v_last.epoch, month, v_last.xid_to, v_last.xid_to, 0,
                             rule.seal_closing(month, v_last.no));
    PERFORM rule.audit_write_operator('operator.audit_export_month', NULL, NULL, NULL,
                                      jsonb_build_object('month', month));
    -- In the order of seals, so that a reader needs no memory to verify them.
    RETURN QUERY SELECT * FROM audit.event e
                  WHERE e.at >= v_from AND e.at < v_to
                    AND (e.epoch < v_last.epoch OR e.xid < v_last.xid_to)
                  ORDER BY e.epoch, e.xid, e.id;
END
$$;
COMMENT ON FUNCTION operator.audit_export_month(date) IS
    'Gives all rows of a month, which is named by its first day, over and sealed, for a file that '
    '`coffer audit verify` and COPY read: \copy (SELECT * FROM '
    'operator.audit_export_month(''2027-01-01'')) TO ''audit.copy'' (FORMAT binary); and closes '
    'the month with a seal over its seals. These go into another file afterwards: \copy (SELECT * '
    'FROM operator.audit_export_seals(''2027-01-01'')) TO ''seals.copy'' (FORMAT binary).';

CREATE FUNCTION operator.audit_export_seals(month date)
RETURNS SETOF audit.seal
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_last    CONSTANT audit.seal := (SELECT s FROM audit.seal s
                                      WHERE s.month = audit_export_seals.month ORDER BY s.no DESC
                                      LIMIT 1);
    v_dropped CONSTANT boolean := EXISTS (SELECT FROM audit.month m
                                          WHERE m.month = audit_export_seals.month
                                            AND m.dropped_at IS NOT NULL);
BEGIN
    IF NOT v_dropped THEN
        IF v_last.no IS NULL OR v_last.n > 0
            OR v_last.root <> rule.seal_closing(month, v_last.no - 1) THEN
            PERFORM fail.operation_refused('the rows of the month were not exported since its last '
                'seal',
                                           'see the comment on operator.audit_export_month');
        END IF;
        PERFORM rule.audit_require_month_anchored(month);
        -- Only now: a caller that wrote the rows into a file comes here when that is whole.
        INSERT INTO audit.month AS m (month, exported_at)
            VALUES (audit_export_seals.month, clock_timestamp())
            ON CONFLICT ON CONSTRAINT month_pkey DO UPDATE SET exported_at = excluded.exported_at;
    END IF;
    PERFORM rule.audit_write_operator('operator.audit_export_seals', NULL, NULL, NULL,
                                      jsonb_build_object('month', month));
    RETURN QUERY SELECT * FROM audit.seal s WHERE s.month = audit_export_seals.month ORDER BY s.no;
END
$$;
COMMENT ON FUNCTION operator.audit_export_seals(date) IS
    'Gives the seals of a month, for a file, once its rows are in theirs, and notes that it was '
    'exported: the last is the one over all others.';

CREATE FUNCTION operator.audit_drop_month(month date)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_from    CONSTANT timestamptz := rule.audit_month(month);
    v_to      CONSTANT timestamptz := rule.audit_month((month + interval '1 month')::date);
    v_timeout CONSTANT text := current_setting('lock_timeout');
    v_rows    bigint;
    v_first   timestamptz;
    v_final   timestamptz;
    v_detail  jsonb;
    v_dropped boolean := false;
    v_tries   integer := 0;
BEGIN
    PERFORM rule.audit_require_month_over(month);
    PERFORM rule.audit_require_month_exported(month);
    v_rows := (SELECT coalesce(sum(s.n), 0) FROM audit.seal s
               WHERE s.month = audit_drop_month.month);
    -- What proves afterwards which rows were dropped, and not lost: of its receipts, too. A row
    -- gets its id and then its time, so the lowest id is not later than any other row, but for what
    -- passes between the two: an hour is plenty, and few rows.
    SELECT e.at INTO v_first FROM audit.event e WHERE e.at >= v_from AND e.at < v_to
     ORDER BY e.epoch, e.xid, e.id LIMIT 1;
    SELECT e.at INTO v_final FROM audit.event e WHERE e.at >= v_from AND e.at < v_to
     ORDER BY e.epoch DESC, e.xid DESC, e.id DESC LIMIT 1;
    v_first := least(v_first + interval '1 hour', v_to);
    v_final := greatest(v_final - interval '1 hour', v_from);
    v_detail := jsonb_build_object(
        'month', month, 'rows', v_rows,
        'first_id', (SELECT min(e.id) FROM audit.event e WHERE e.at >= v_from AND e.at < v_first),
        'last_id', (SELECT max(e.id) FROM audit.event e WHERE e.at >= v_final AND e.at < v_to),
        'earlier', rule.verify_months_dropped());

    -- Calls queue behind a session that waits for this lock, so each wait is short, with time for
    -- them in between.
    PERFORM set_config('lock_timeout', '200ms', true);
    WHILE NOT v_dropped LOOP
        BEGIN
            -- All that were writing have ended then. Their rows were not to be seen before.
            LOCK TABLE ONLY audit.event IN ACCESS EXCLUSIVE MODE;
            PERFORM rule.audit_require_month_exported(month);
            -- dynamic: the name is computed
            EXECUTE format('DROP TABLE audit.%I', rule.audit_partition(month));
            v_dropped := true;
        EXCEPTION
            WHEN lock_not_available THEN
                v_tries := v_tries + 1;
                IF v_tries = 10 THEN
                    PERFORM fail.operation_refused('somebody reads the audit all the time',
                                                   'call again');
                END IF;
        END;
        PERFORM pg_sleep(0.3) WHERE NOT v_dropped;
    END LOOP;
    PERFORM set_config('lock_timeout', v_timeout, true);

    UPDATE audit.month m SET dropped_at = clock_timestamp() WHERE m.month = audit_drop_month.month;
    PERFORM rule.audit_write_operator('operator.audit_drop_month', NULL, NULL, NULL, v_detail);
    RETURN v_rows;
END
$$;
COMMENT ON FUNCTION operator.audit_drop_month(date) IS
    'Removes the rows of a month, which is named by its first day, that is over, sealed, anchored '
    'and exported; its seals stay; gives the number of rows.';
