-- daemon.seen_faults: what a database lacks of what a daemon has seen; daemon.epoch_begin mends it.
BEGIN;
\ir ../setup.sql
\ir ../sealed.sql

-- What a daemon has seen that has seen all; what a test gives is put in its place.
CREATE FUNCTION test.seen(changed jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('epoch', 1, 'seal', s.no, 'seal_hash', encode(s.hash, 'hex'), 'receipt', e.id,
                              'receipt_hash', encode(e.hash, 'hex'), 'xid_from', e.xid, 'xid_to', e.xid + 1,
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
SELECT encode(sha256('other'), 'hex') AS other \gset

SELECT is(missing(NULL), '', 'daemon.seen_faults finds nothing missing for a daemon that has seen nothing');
SELECT is(missing('{"epoch": 1}'), '', 'or only the epoch');
SELECT is(missing(seen()), '', 'or all that there is');
SELECT is(missing(seen('{"xid_to": null}')), '', 'of a receipt whose transaction may be any later one, too');
SELECT is(missing(seen() - 'receipt'), '', 'or no receipt that is not sealed');
SELECT is(missing(seen('{"receipt": 60}')), 'row 60, and maybe others of 2 receipts from 6 to 7', 'a receipt without its row is missing');
SELECT is(missing(seen(jsonb_build_object('receipt_hash', :'other'))), 'row 6, and maybe others of 2 receipts from 6 to 7', 'and one with another row');
SELECT is(missing(seen('{"seal": 99}')), 'seal 99', 'a seal that is not there is missing');
SELECT is(missing(seen(jsonb_build_object('seal_hash', :'other'))), 'seal 4', 'and one that is another');
SELECT is(missing(seen('{"receipt": 60, "seal": 99}')), 'row 60, and maybe others of 2 receipts from 6 to 7; seal 99', 'both are said');
SELECT is(missing(seen('{"epoch": 2}')), 'epoch 2', 'an epoch that the database does not know is missing');
SELECT alike((daemon.seen_faults(seen('{"seal": 99}')))[1], '%its last seal is 4, its last row 6)%: SELECT operator.audit_epoch_begin(''why'')',
             'with it is said what there is, and what to do');

-- A daemon is told when it greets, and may mend it if nothing else is wrong.
SELECT is((SELECT h.behind FROM daemon.hello(gen_random_uuid(), '', '{}', seen()) AS h), false, 'daemon.hello finds nothing');
SELECT alike((SELECT h.faults::text FROM daemon.hello(gen_random_uuid(), '', '{}', seen('{"seal": 99}')) AS h), '%lacks what this daemon has seen%',
             'or else says it among the faults');

SELECT is(daemon.epoch_begin(seen()), 1, 'daemon.epoch_begin begins no epoch while nothing is missing');
SELECT is(daemon.epoch_begin(seen('{"seal": 99}')), 2, 'and else one');
SELECT is((SELECT e.request -> 'seen' ->> 'seal' FROM audit.event e ORDER BY e.id DESC LIMIT 1), '99', 'whose event says what was missing');
SELECT is(daemon.epoch_begin('{"epoch": 1, "seal": 99, "seal_hash": "00"}'), 2, 'for all daemons that have seen the epoch before');
SELECT is(missing('{"epoch": 1, "seal": 99, "seal_hash": "00"}'), '', 'which find nothing missing then');
SELECT is(daemon.epoch_begin('{"epoch": 3, "seal": 99, "seal_hash": "00"}'), 4, 'the number of an epoch that was lost is not given again');
SELECT is_empty('SELECT * FROM auditor.verify()', 'and the audit is sound');

SELECT finish();
ROLLBACK;
