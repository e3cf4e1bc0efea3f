-- Seals: what each is over, and how one hangs on the other.
BEGIN;
\ir ../setup.sql
\ir ../sealed.sql

SELECT results_eq('SELECT no, n, month FROM audit.seal ORDER BY no',
                  format($$VALUES (0::bigint, 0::bigint, %1$L::date), (1, 3, %1$L), (2, 1, %1$L),
                         (3, 1, %2$L), (4, 2, %2$L)$$,
                         month()::date, (month() + interval '1 month')::date),
                  'rule.seal_rows makes a seal for each month of a range, and none over nothing');
SELECT results_eq('SELECT no, xid_from - b.xid, xid_to - b.xid FROM audit.seal, test.base b WHERE '
                  'no > 0 ORDER BY no',
                  'VALUES (1::bigint, 0::bigint, 2::bigint), (2, 2, 5), (3, 2, 5), (4, 5, 8)',
                      'over its transactions');
SELECT is((SELECT root FROM audit.seal WHERE no = 4),
          (SELECT sha256(string_agg(e.hash, '' ORDER BY e.xid, e.id)) FROM audit.event e
           WHERE e.id IN (6, 7)),
          'and the hashes of its rows, by transaction and then by id');
SELECT is_empty('SELECT no FROM audit.seal s WHERE s.no > 0 AND s.prev <> (SELECT b.hash FROM '
                'audit.seal b WHERE b.no = s.no - 1)',
                'rule.seal_append links each to the one before');
SELECT is(seal(8, 20), 0::bigint, 'rule.seal_rows gives the number of rows');
SELECT make_event(9, 9), make_event(10, 9);
SELECT is(rule.seal_rows(2, b.xid, b.xid + 20), 0::bigint, 'of one epoch') FROM test.base b;
SELECT is(seal(8, 9), 0::bigint, 'below the end');
SELECT is(seal(9, 10), 2::bigint, 'and from the beginning of a range');

-- As the comment on its column says.
SELECT is(s.hash, sha256('coffer-se1'::bytea || int8send(s.no) || int4send(s.epoch)
                         || int4send(s.month - '2000-01-01'::date)
                         || int8send(s.xid_from) || int8send(s.xid_to) || int8send(s.n) || s.root
                             || s.prev
                         || int8send((extract(epoch
                                              FROM s.sealed_at
                                                   - '2000-01-01 00:00:00+00') * 1000000)::bigint)),
          'rule.seal_hash is over the other columns, of seal ' || s.no) FROM audit.seal s
              ORDER BY s.no;
SELECT isnt(rule.seal_hash(jsonb_populate_record(s, jsonb_build_object(name, value))), s.hash,
            'another ' || name || ' has another hash')
  FROM audit.seal s,
       jsonb_each('{"no": 9, "epoch": 9, "month": "2001-01-01", "xid_from": 1, "xid_to": 1, "n": '
                  '9, "root": "\\x00", "prev": "\\x00",
                    "sealed_at": "2001-01-01T00:00:00Z"}') AS t(name, value) WHERE s.no = 1;

SELECT is(rule.seal_closing(month()::date, max(s.no)),
          sha256('coffer-mo1'::bytea || string_agg(s.hash, '' ORDER BY s.no)),
          'rule.seal_closing is over the seals of a month') FROM audit.seal s
              WHERE s.month = month()::date;
SELECT is(rule.seal_closing('2001-01-01', 9), sha256('coffer-mo1'), 'of which there may be none');
SELECT is(rule.seal_closing(s.month, s.no), sha256('coffer-mo1'::bytea || s.hash),
          'up to one of them') FROM audit.seal s WHERE s.no = 0;

SELECT lives_ok('SELECT rule.seal_wait()', 'rule.seal_wait takes the chain once it is free');
SELECT ok(rule.seal_lock(), 'rule.seal_lock takes the chain');
SELECT isnt_empty($$SELECT FROM pg_locks WHERE locktype = 'advisory'
                  AND (classid, objid) = (x'C0FFE2'::integer::oid, 2) AND pid = pg_backend_pid()$$,
                  'until the end of the transaction');

SELECT finish();
ROLLBACK;
