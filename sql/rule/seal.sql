-- Seals: what a link of the chain over the audit is made of.

CREATE FUNCTION rule.seal_hash(seal audit.seal)
RETURNS bytea
LANGUAGE sql IMMUTABLE
AS $$
    SELECT sha256('coffer-se1'::bytea || int8send(seal.no) || int4send(seal.epoch)
                  || date_send(seal.month)
                  || int8send(seal.xid_from) || int8send(seal.xid_to) || int8send(seal.n)
                      || seal.root || seal.prev
                  || timestamptz_send(seal.sealed_at))
$$;
COMMENT ON FUNCTION rule.seal_hash(audit.seal) IS
    'Computes the hash of a seal, as the comment on its column says.';

CREATE FUNCTION rule.seal_append(epoch integer, month date, xid_from bigint, xid_to bigint,
                                 n bigint, root bytea)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_seal audit.seal;
BEGIN
    SELECT s.no + 1, s.hash INTO v_seal.no, v_seal.prev FROM audit.seal s ORDER BY s.no DESC
     LIMIT 1;
    v_seal.epoch := epoch;
    v_seal.month := month;
    v_seal.xid_from := xid_from;
    v_seal.xid_to := xid_to;
    v_seal.n := n;
    v_seal.root := root;
    v_seal.sealed_at := clock_timestamp();
    v_seal.hash := rule.seal_hash(v_seal);
    INSERT INTO audit.seal VALUES (v_seal.*);
END
$$;
COMMENT ON FUNCTION rule.seal_append(integer, date, bigint, bigint, bigint, bytea) IS
    'Links a seal to the end of the chain, whose lock (rule.seal_lock) the caller holds.';

CREATE FUNCTION rule.seal_rows(epoch integer, xid_from bigint, xid_to bigint)
RETURNS bigint
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_month  record;
    v_count  bigint := 0;
BEGIN
    FOR v_month IN
        SELECT date_trunc('month', e.at AT TIME ZONE 'UTC')::date AS month, count(*) AS n,
               sha256(string_agg(e.hash, '' ORDER BY e.xid, e.id)) AS root
          FROM audit.event e
         WHERE e.epoch = seal_rows.epoch AND e.xid >= seal_rows.xid_from
           AND e.xid < seal_rows.xid_to
         GROUP BY 1
         ORDER BY 1
    LOOP
        PERFORM rule.seal_append(epoch, v_month.month, xid_from, xid_to, v_month.n, v_month.root);
        v_count := v_count + v_month.n;
    END LOOP;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION rule.seal_rows(integer, bigint, bigint) IS
    'Seals the rows of an epoch whose transactions, all of them ended, are in [xid_from, xid_to): '
    'one seal for each month; gives the number of rows.';

CREATE FUNCTION rule.seal_lock()
RETURNS boolean
LANGUAGE sql VOLATILE
AS $$
    SELECT pg_try_advisory_xact_lock(x'C0FFE2'::integer, 2)
$$;
COMMENT ON FUNCTION rule.seal_lock() IS
    'Takes the chain of seals for this transaction; false: another one has it.';

CREATE FUNCTION rule.seal_wait()
RETURNS void
LANGUAGE sql VOLATILE
AS $$
    SELECT pg_advisory_xact_lock(x'C0FFE2'::integer, 2)
$$;
COMMENT ON FUNCTION rule.seal_wait() IS
    'Takes the chain of seals for this transaction, once it is free.';

CREATE FUNCTION rule.seal_closing(month date, no bigint)
RETURNS bytea
LANGUAGE sql STABLE
AS $$
    SELECT sha256('coffer-mo1'::bytea || coalesce(string_agg(s.hash, '' ORDER BY s.no), ''))
      FROM audit.seal s
     WHERE s.month = seal_closing.month AND s.no <= seal_closing.no
$$;
COMMENT ON FUNCTION rule.seal_closing(date, bigint) IS
    'Computes the root of a seal that closes a month: over the hashes of all seals of the month, '
    'up to one.';
