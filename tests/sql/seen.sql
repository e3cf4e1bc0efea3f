-- For tests of what a database lacks of what a daemon has seen. Included after sealed.sql.

-- What a daemon has seen that has seen all; what a test gives is put in its place.
CREATE FUNCTION test.seen(changed jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('epoch', 1, 'seal', s.no, 'seal_hash', encode(s.hash, 'hex'),
                              'receipt', e.id,
                              'receipt_hash', encode(e.hash, 'hex'), 'xid_from', e.xid, 'xid_to',
                                  e.xid + 1,
                              'receipts', 2, 'first', 6, 'last', 7) || changed
      FROM (SELECT * FROM audit.seal s ORDER BY s.no DESC LIMIT 1) AS s,
           (SELECT * FROM audit.event e WHERE e.id = 6) AS e
$$;
-- What is missing: the part of the fault in brackets, or "".
CREATE FUNCTION test.missing(seen jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_faults text[];
BEGIN
    SET LOCAL ROLE coffer_exec;
    v_faults := daemon.seen_faults(seen);
    RESET ROLE;
    RETURN coalesce(substring(v_faults[1] FROM '[(](.*);'), v_faults[1], '');
END
$$;
