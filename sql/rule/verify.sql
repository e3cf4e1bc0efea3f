-- What auditor.verify looks at: the chain of seals, then month by month the rows.

CREATE FUNCTION rule.verify_chain(since timestamptz, until timestamptz)
RETURNS TABLE (kind text, place text, words text)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    -- One more than asked for, so that the first has one before it.
    v_first  CONSTANT bigint := (SELECT max(s.no) FROM audit.seal s WHERE s.sealed_at < since);
    v_signed CONSTANT bigint := (SELECT max(s.no) FROM audit.seal s WHERE s.signature IS NOT NULL);
BEGIN
    IF NOT EXISTS (SELECT FROM audit.seal) THEN
        RETURN QUERY SELECT 'seal_missing', 'seal 0', 'there are no seals at all';
        RETURN;
    END IF;
    RETURN QUERY
        SELECT fault.kind, 'seal ' || s.no, fault.words
          FROM (SELECT s AS seal, s.no, lag(s) OVER (ORDER BY s.no) AS before
                  FROM audit.seal s
                 WHERE s.no >= coalesce(v_first, s.no) AND s.sealed_at < until) AS s
         CROSS JOIN LATERAL (VALUES
                   ('seal_changed', 'a column was changed: the hash is not that of the other columns',
                    (s.seal).hash <> rule.seal_hash(s.seal)),
                   ('seal_changed', 'it closes a month with other seals than there are',
                    CASE WHEN (s.seal).n = 0 AND (s.seal).xid_from = (s.seal).xid_to AND (s.seal).epoch = (s.before).epoch
                         THEN (s.seal).root <> rule.seal_closing((s.seal).month, s.no - 1) END),
                   ('seal_unsigned', 'there is no signature, though later seals have theirs',
                    (s.seal).signature IS NULL AND s.no < v_signed),
                   ('seal_missing', 'the seals before it are missing, from the first on',
                    s.before IS NULL AND s.no > 0 AND v_first IS NULL),
                   ('seal_missing', format('the seals from %s to %s are missing', (s.before).no + 1, s.no - 1),
                    s.no > (s.before).no + 1),
                   ('chain_broken', 'it does not hold the hash of the seal before',
                    s.no = (s.before).no + 1 AND (s.seal).prev <> (s.before).hash),
                   ('seal_gap', 'its transactions do not go on from those of the seal before',
                    s.no = (s.before).no + 1
                    AND NOT CASE WHEN (s.seal).epoch = (s.before).epoch
                                 THEN (s.seal).xid_from = (s.before).xid_to
                                      OR ((s.seal).xid_from, (s.seal).xid_to) = ((s.before).xid_from, (s.before).xid_to)
                                         AND (s.seal).month > (s.before).month
                                 ELSE (s.seal).epoch = (s.before).epoch + 1
                                      AND (s.seal).n = 0 AND (s.seal).xid_from = (s.seal).xid_to
                            END)
               ) AS fault(kind, words, found)
         WHERE fault.found AND (v_first IS NULL OR s.no > v_first)
         ORDER BY s.no;
END
$$;
COMMENT ON FUNCTION rule.verify_chain(timestamptz, timestamptz) IS
    'Lists what is wrong with the seals made in [since, until), one by one and with the seal before.';

CREATE FUNCTION rule.verify_month(epoch integer, month date, since timestamptz, until timestamptz)
RETURNS TABLE (kind text, place text, words text)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_at_from CONSTANT timestamptz := rule.audit_month(month);
    v_at_to   CONSTANT timestamptz := rule.audit_month((month + interval '1 month')::date);
    -- Up to here the epoch is sealed: a row below is in a seal, or came afterwards.
    v_sealed  CONSTANT bigint := (SELECT max(s.xid_to) FROM audit.seal s WHERE s.epoch = verify_month.epoch);
    v_no      bigint[];
    v_from    bigint[];
    v_to      bigint[];
    v_lowest  bigint := -1;
    v_highest bigint := 9223372036854775807;
BEGIN
    IF rule.month_was_dropped(month) THEN
        RETURN;
    END IF;
    SELECT array_agg(s.no ORDER BY s.xid_from), array_agg(s.xid_from ORDER BY s.xid_from),
           array_agg(s.xid_to ORDER BY s.xid_from)
      INTO v_no, v_from, v_to
      FROM audit.seal s
     WHERE s.epoch = verify_month.epoch AND s.month = verify_month.month AND s.n > 0
       AND s.sealed_at >= since AND s.sealed_at < until;
    IF to_regclass(format('audit.%I', rule.audit_partition(month))) IS NULL THEN
        RETURN QUERY SELECT 'month_missing', 'month ' || month,
                            format('the partition with the rows of seals %s to %s is missing, and was not dropped by '
                                   'operator.audit_drop_month', v_no[1], v_no[cardinality(v_no)])
                      WHERE v_no IS NOT NULL;
        RETURN;
    END IF;
    IF since > '-infinity' THEN
        v_lowest := v_from[1];
    END IF;
    IF until < 'infinity' THEN
        v_highest := v_to[cardinality(v_to)];
    END IF;
    RETURN QUERY
        WITH placed AS (
            SELECT r.id, r.xid, r.hash, r.intact, CASE WHEN r.xid < v_to[r.seal] THEN r.seal END AS seal
              FROM (SELECT e.id, e.xid, e.hash, e.hash = rule.audit_hash(e) AS intact,
                           coalesce(width_bucket(e.xid, v_from), 0) AS seal
                      FROM audit.event e
                     WHERE e.at >= v_at_from AND e.at < v_at_to AND e.epoch = verify_month.epoch
                       AND e.xid >= v_lowest AND e.xid < v_highest) AS r
        ), found AS (
            SELECT p.seal, count(*) AS n, sha256(string_agg(p.hash, '' ORDER BY p.xid, p.id)) AS root,
                   array_agg(p.id ORDER BY p.id) FILTER (WHERE NOT p.intact) AS changed,
                   array_agg(p.id ORDER BY p.id) FILTER (WHERE p.seal IS NULL AND (p.xid < v_sealed OR v_sealed IS NULL))
                       AS unsealed
              FROM placed p
             GROUP BY p.seal
        ), compared AS (
            SELECT 'seal ' || s.no AS place, s.n, s.root, coalesce(f.n, 0) AS found, f.root AS found_root, f.changed
              FROM audit.seal s
              LEFT JOIN found f ON v_no[f.seal] = s.no
             WHERE s.no = ANY (v_no)
        )
        SELECT 'row_changed', 'row ' || id, 'a column was changed: the hash is not that of the other columns'
          FROM found f, unnest(f.changed) AS id
        UNION ALL
        SELECT 'row_unsealed', 'row ' || id, 'no seal covers it, though its transaction is sealed: it was put in afterwards'
          FROM found f, unnest(f.unsealed) AS id
        UNION ALL
        SELECT CASE WHEN c.found < c.n THEN 'rows_missing' WHEN c.found > c.n THEN 'rows_added' ELSE 'rows_exchanged' END,
               c.place,
               CASE WHEN c.found < c.n THEN format('%s of its %s rows are missing', c.n - c.found, c.n)
                    WHEN c.found > c.n THEN format('%s rows were put in beside its %s', c.found - c.n, c.n)
                    ELSE format('of its %s rows at least one is another than was sealed', c.n) END
          FROM compared c
         WHERE c.found <> c.n OR c.found_root <> c.root;
END
$$;
COMMENT ON FUNCTION rule.verify_month(integer, date, timestamptz, timestamptz) IS
    'Lists what is wrong with the rows of a month in an epoch, which the seals made in [since, until) cover: each by its own hash, then those of each seal by its root. A sort on disk, not in memory.';

CREATE FUNCTION rule.month_was_dropped(month date)
RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    -- The table could be written by hand; the sealed row of who dropped it counts, unless that is of a dropped month too.
    RETURN EXISTS (
        SELECT FROM audit.month m
         WHERE m.month = month_was_dropped.month
           AND (EXISTS (SELECT FROM audit.event e
                         WHERE e.method = 'operator.audit_drop_month' AND e.error IS NULL
                           AND e.at >= m.dropped_at AND e.at < m.dropped_at + interval '1 minute'
                           AND (e.request ->> 'month')::date = m.month)
                OR EXISTS (SELECT FROM audit.month later
                            WHERE later.month = date_trunc('month', m.dropped_at AT TIME ZONE 'UTC')
                              AND later.month > m.month AND later.dropped_at IS NOT NULL)));
END
$$;
COMMENT ON FUNCTION rule.month_was_dropped(date) IS
    'Tells whether operator.audit_drop_month has dropped a month.';

CREATE FUNCTION rule.audit_months()
RETURNS SETOF date
LANGUAGE sql STABLE
AS $$
    SELECT to_date(substr(c.relname, 7), 'YYYY_MM')
      FROM pg_catalog.pg_inherits i
      JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'audit.event'::regclass
$$;
COMMENT ON FUNCTION rule.audit_months() IS 'Lists the months that the audit has partitions for.';
