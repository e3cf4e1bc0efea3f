-- For tests of seals: an audit of some rows, in months and transactions of its own, that is sealed.
-- Included after setup.sql. What a test has written itself is of a transaction that has not ended,
-- so it would not be sealed.

CREATE FUNCTION test.month() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
$$;

-- The transaction numbers of these rows lie below that of the test, so what it writes itself comes
-- after them.
CREATE TABLE test.base AS SELECT pg_current_xact_id()::text::bigint - 100 AS xid;
DELETE FROM audit.event;
UPDATE audit.seal SET xid_from = b.xid, xid_to = b.xid FROM test.base b;
UPDATE audit.seal s SET hash = rule.seal_hash(s);

CREATE FUNCTION test.make_event(id bigint, xid bigint,
                                at timestamptz DEFAULT test.month() + interval '1 hour')
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_event audit.event;
BEGIN
    v_event.id := id;
    v_event.xid := (SELECT b.xid + make_event.xid FROM test.base b);
    v_event.epoch := 1;
    v_event.at := at;
    v_event.instance := gen_random_uuid();
    v_event.request_id := gen_random_uuid();
    v_event.database_role := 'coffer_api';
    v_event.organization_id := test.organization('acme');
    v_event.principal_id := gen_random_uuid();
    v_event.api_key_id := gen_random_uuid();
    v_event.ip := '192.0.2.1';
    v_event.user_agent := 'test';
    v_event.method := 'secret_get';
    v_event.region := 'fr-par';
    v_event.project_id := test.project('main');
    v_event.secret_id := gen_random_uuid();
    v_event.revision := 1;
    v_event.status := 200;
    v_event.error := 'none';
    v_event.request := '{"path": {}}';
    v_event.hash := rule.audit_hash(v_event);
    INSERT INTO audit.event VALUES (v_event.*);
END
$$;

CREATE FUNCTION test.seal(xid_from bigint, xid_to bigint) RETURNS bigint LANGUAGE sql AS $$
    SELECT rule.seal_rows(1, b.xid + xid_from, b.xid + xid_to) FROM test.base b
$$;

-- What verification finds after a statement, which is undone: "kind place, kind place", or "".
CREATE FUNCTION test.found(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_found text;
BEGIN
    EXECUTE statement;
    SELECT coalesce(string_agg(v.kind || ' ' || v.place, ', ' ORDER BY v.kind, v.place COLLATE "C"),
                    '') INTO v_found
      FROM auditor.verify() AS v;
    RAISE EXCEPTION 'undo';
EXCEPTION
    WHEN raise_exception THEN
        RETURN v_found;
END
$$;

-- Three seals over seven rows, of which the second seal is at the turn of a month and so is two: 1
-- 2 3 4.
SELECT make_event(1, 0), make_event(2, 0), make_event(3, 1), seal(0, 2),
       make_event(5, 2, month() + interval '1 month' - interval '1 second'),
       make_event(4, 3, month() + interval '1 month'), seal(2, 5),
       make_event(7, 5, month() + interval '1 month 1 second'),
           make_event(6, 6, month() + interval '1 month 1 second'), seal(5, 8);
