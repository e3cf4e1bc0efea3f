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
                   ('seal_changed',
                    'a column was changed: the hash is not that of the other columns',
                    (s.seal).hash <> rule.seal_hash(s.seal)),
                   ('seal_changed', 'it closes a month with other seals than there are',
                    CASE WHEN (s.seal).n = 0 AND (s.seal).xid_from = (s.seal).xid_to
                        AND (s.seal).epoch = (s.before).epoch
                         THEN (s.seal).root <> rule.seal_closing((s.seal).month, s.no - 1) END),
                   ('seal_unsigned', 'there is no signature, though later seals have theirs',
                    (s.seal).signature IS NULL AND s.no < v_signed),
                   ('seal_missing', 'the seals before it are missing, from the first on',
                    s.before IS NULL AND s.no > 0 AND v_first IS NULL),
                   ('seal_missing', format('the seals from %s to %s are missing', (s.before).no + 1,
                                           s.no - 1),
                    s.no > (s.before).no + 1),
                   ('chain_broken', 'it does not hold the hash of the seal before',
                    s.no = (s.before).no + 1 AND (s.seal).prev <> (s.before).hash),
                   ('seal_gap', 'its transactions do not go on from those of the seal before',
                    s.no = (s.before).no + 1
                    AND NOT CASE WHEN (s.seal).epoch = (s.before).epoch
                                 THEN (s.seal).xid_from = (s.before).xid_to
                                      OR ((s.seal).xid_from, (s.seal).xid_to)
                                          = ((s.before).xid_from, (s.before).xid_to)
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
    'Lists what is wrong with the seals made in [since, until), one by one and with the seal '
    'before.';

CREATE FUNCTION rule.verify_month(epoch integer, month date, since timestamptz, until timestamptz)
RETURNS TABLE (kind text, place text, words text)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_at_from CONSTANT timestamptz := rule.audit_month(month);
    v_at_to   CONSTANT timestamptz := rule.audit_month((month + interval '1 month')::date);
    -- Up to here the epoch is sealed: a row below is in a seal, or came afterwards. One that has
    -- ended is sealed as a whole.
    v_sealed  CONSTANT bigint := (SELECT max(s.xid_to) FROM audit.seal s
                                   WHERE s.epoch = verify_month.epoch
                                     AND NOT EXISTS (SELECT FROM audit.seal later
                                                     WHERE later.epoch > verify_month.epoch));
    v_no      bigint[];
    v_from    bigint[];
    v_to      bigint[];
    v_lowest  bigint := -1;
    v_highest bigint := 9223372036854775807;
BEGIN
    IF NOT rule.verify_month_has_rows(month) THEN
        RETURN;         -- which rule.verify_absent looks at
    END IF;
    SELECT array_agg(s.no ORDER BY s.xid_from), array_agg(s.xid_from ORDER BY s.xid_from),
           array_agg(s.xid_to ORDER BY s.xid_from)
      INTO v_no, v_from, v_to
      FROM audit.seal s
     WHERE s.epoch = verify_month.epoch AND s.month = verify_month.month AND s.n > 0
       AND s.sealed_at >= since AND s.sealed_at < until;
    IF since > '-infinity' THEN
        v_lowest := v_from[1];
    END IF;
    IF until < 'infinity' THEN
        v_highest := v_to[cardinality(v_to)];
    END IF;
    RETURN QUERY
        WITH placed AS (
            SELECT r.id, r.xid, r.hash, r.intact, CASE WHEN r.xid < v_to[r.seal]
                   THEN r.seal END AS seal
              FROM (SELECT e.id, e.xid, e.hash, e.hash = rule.audit_hash(e) AS intact,
                           coalesce(width_bucket(e.xid, v_from), 0) AS seal
                      FROM audit.event e
                     WHERE e.at >= v_at_from AND e.at < v_at_to AND e.epoch = verify_month.epoch
                       AND e.xid >= v_lowest AND e.xid < v_highest) AS r
        ), found AS (
            SELECT p.seal, count(*) AS n,
                   sha256(string_agg(p.hash, '' ORDER BY p.xid, p.id)) AS root,
                   array_agg(p.id ORDER BY p.id) FILTER (WHERE NOT p.intact) AS changed,
                   array_agg(p.id ORDER BY p.id) FILTER (WHERE p.seal IS NULL
                                                         AND (p.xid < v_sealed OR v_sealed IS NULL))
                       AS unsealed
              FROM placed p
             GROUP BY p.seal
        ), compared AS (
            SELECT 'seal ' || s.no AS place, s.n, s.root, coalesce(f.n, 0) AS found,
                   f.root AS found_root, f.changed
              FROM audit.seal s
              LEFT JOIN found f ON v_no[f.seal] = s.no
             WHERE s.no = ANY (v_no)
        )
        SELECT 'row_changed', 'row ' || id,
               'a column was changed: the hash is not that of the other columns'
          FROM found f, unnest(f.changed) AS id
        UNION ALL
        SELECT 'row_unsealed', 'row ' || id,
               'no seal covers it, though its transaction is sealed: it was put in afterwards'
          FROM found f, unnest(f.unsealed) AS id
        UNION ALL
        SELECT CASE WHEN c.found < c.n THEN 'rows_missing' WHEN c.found > c.n THEN 'rows_added'
               ELSE 'rows_exchanged' END,
               c.place,
               CASE WHEN c.found < c.n
                   THEN format('%s of its %s rows are missing', c.n - c.found, c.n)
                    WHEN c.found > c.n
                        THEN format('%s rows were put in beside its %s', c.found - c.n, c.n)
                    ELSE format('of its %s rows at least one is another than was sealed', c.n) END
          FROM compared c
         WHERE c.found <> c.n OR c.found_root <> c.root;
END
$$;
COMMENT ON FUNCTION rule.verify_month(integer, date, timestamptz, timestamptz) IS
    'Lists what is wrong with the rows of a month in an epoch, which the seals made in [since, '
    'until) cover: each by its own hash, then those of each seal by its root. A sort on disk, not '
    'in memory.';

CREATE FUNCTION rule.verify_absent(since timestamptz, until timestamptz)
RETURNS TABLE (kind text, place text, words text)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_dropped jsonb;
    v_month   date;
    v_seals   record;
BEGIN
    FOR v_month IN
        SELECT DISTINCT s.month FROM audit.seal s WHERE s.n > 0 AND s.sealed_at >= since
            AND s.sealed_at < until ORDER BY 1
    LOOP
        CONTINUE WHEN rule.verify_month_has_rows(v_month);
        v_dropped := coalesce(v_dropped, rule.verify_months_dropped());
        SELECT min(s.no) AS first, max(s.no) AS last, sum(s.n) AS n INTO v_seals
          FROM audit.seal s WHERE s.month = v_month AND s.n > 0;
        RETURN QUERY
            SELECT 'month_missing', 'month ' || to_char(v_month, 'YYYY-MM-DD'),
                   format('none of the %s rows of seals %s to %s is there, and no sealed row of '
                          'operator.audit_drop_month '
                          'says that they were dropped', v_seals.n, v_seals.first, v_seals.last)
             WHERE NOT v_dropped @> jsonb_build_array(jsonb_build_object('month', v_month, 'rows',
                 v_seals.n));
    END LOOP;
END
$$;
COMMENT ON FUNCTION rule.verify_absent(timestamptz, timestamptz) IS
    'Lists the months without a row that the seals made in [since, until) are over, except those '
    'that operator.audit_drop_month has dropped.';

CREATE FUNCTION rule.verify_months_dropped()
RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    -- Of all that says so, this alone cannot be put in afterwards: a row that is what it was when
    -- it was sealed. It names what was dropped before it, too, for the time when the rows of those
    -- drops are dropped themselves.
    RETURN (
        WITH event AS MATERIALIZED (
            SELECT e AS event, date_trunc('month', e.at AT TIME ZONE 'UTC')::date AS month
              FROM audit.event e
             WHERE e.method = 'operator.audit_drop_month' AND e.error IS NULL
        ), sealed AS MATERIALIZED (
            SELECT (e.event).epoch, (e.event).xid, (e.event).id, (e.event).request, e.month,
                   s AS seal
              FROM event e
              JOIN audit.seal s ON s.epoch = (e.event).epoch AND s.month = e.month
                               AND s.xid_from <= (e.event).xid AND s.xid_to > (e.event).xid
             WHERE (e.event).hash = rule.audit_hash(e.event)
        ), said AS (
            SELECT * FROM sealed s WHERE rule.verify_seal_holds(s.seal)
        ), named AS (
            SELECT DISTINCT ON (drops.month -> 'month', drops.month -> 'rows') drops.month
                            - 'earlier' AS month
              FROM said
             CROSS JOIN LATERAL (SELECT said.request
                                 UNION ALL SELECT jsonb_path_query(said.request, '$.earlier[*]'))
                                     AS drops(month)
             WHERE drops.month ->> 'month' < to_char(said.month, 'YYYY-MM-DD')
             ORDER BY drops.month -> 'month', drops.month -> 'rows', said.epoch, said.xid, said.id
        )
        SELECT coalesce(jsonb_agg(named.month), '[]') FROM named
    );
END
$$;
COMMENT ON FUNCTION rule.verify_months_dropped() IS
    'Gives the months that operator.audit_drop_month has dropped, as its sealed rows say, each '
    'with its number of rows and its first and last id.';

CREATE FUNCTION rule.verify_seal_holds(seal audit.seal)
RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_at_from CONSTANT timestamptz := rule.audit_month(seal.month);
    v_at_to   CONSTANT timestamptz := rule.audit_month((seal.month + interval '1 month')::date);
BEGIN
    RETURN seal.hash = rule.seal_hash(seal)
       AND seal.root IS NOT DISTINCT FROM
           (SELECT sha256(string_agg(e.hash, '' ORDER BY e.xid, e.id))
              FROM audit.event e
             WHERE e.epoch = seal.epoch AND e.xid >= seal.xid_from AND e.xid < seal.xid_to
               AND e.at >= v_at_from AND e.at < v_at_to);
END
$$;
COMMENT ON FUNCTION rule.verify_seal_holds(audit.seal) IS
    'Tells whether the rows of a seal that is over some are those that it was made over.';

CREATE FUNCTION rule.verify_month_has_rows(month date)
RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_from CONSTANT timestamptz := rule.audit_month(month);
    v_to   CONSTANT timestamptz := rule.audit_month((month + interval '1 month')::date);
BEGIN
    RETURN EXISTS (SELECT FROM audit.event e WHERE e.at >= v_from AND e.at < v_to);
END
$$;
COMMENT ON FUNCTION rule.verify_month_has_rows(date) IS
    'Tells whether the audit has rows of a month, whatever the name of their partition.';
