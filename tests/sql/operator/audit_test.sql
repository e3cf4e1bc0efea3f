-- operator.audit_*: epochs of the database, and retention.
BEGIN;
\ir ../setup.sql
\ir ../sealed.sql
CREATE FUNCTION test.last_month() RETURNS date LANGUAGE sql STABLE AS $$
    SELECT date_trunc('month', test.month() AT TIME ZONE 'UTC' - interval '1 day')::date
$$;

-- A month that is over ------------------------------------------------------------

SELECT throws_ok(format('SELECT operator.audit_drop_month(%L)', month()::date), 'SM900',
                 'the month is not over',
          'operator.audit_drop_month refuses a month that is not over (SM900)');
SELECT throws_ok('SELECT operator.audit_drop_month(''2001-02-03'')', 'SM900',
                 'a month is named by its first day', 'and what is no month (SM900)');
SELECT throws_ok('SELECT operator.audit_drop_month(''2001-02-01'')', 'SM900',
                 'there is no such month', 'or is not there (SM900)');
SELECT throws_ok('SELECT operator.audit_export_month(''2001-02-01'')', 'SM900',
                 'there is no such month',
          'operator.audit_export_month likewise (SM900)');

DO $$
BEGIN
    EXECUTE format('CREATE TABLE audit.%I PARTITION OF audit.event FOR VALUES FROM (%L) TO (%L)',
                   rule.audit_partition(test.last_month()), rule.audit_month(test.last_month()),
                       test.month());
    EXECUTE format('ALTER TABLE audit.%I OWNER TO coffer_owner',
                   rule.audit_partition(test.last_month()));
END
$$;
SET LOCAL client_encoding = LATIN1;
SELECT throws_ok(format('SELECT operator.audit_export_month(%L)', last_month()), 'SM900',
                 'client_encoding is LATIN1, and an export is in UTF8',
          'operator.audit_export_month refuses a client of another encoding, whose file would '
          'not fit its hashes (SM900)');
SET LOCAL client_encoding = UTF8;

SELECT make_event(8, 8, rule.audit_month(last_month())),
       make_event(9, 9, month() - interval '1 second');

SELECT throws_ok(format('SELECT operator.audit_drop_month(%L)', last_month()), 'SM900',
                 'a row of the month is not sealed yet',
          'operator.audit_drop_month refuses rows that are not sealed (SM900)');
SELECT throws_ok(format('SELECT operator.audit_export_month(%L)', last_month()), 'SM900',
                 'a row of the month is not sealed yet',
          'and so does operator.audit_export_month (SM900)');
SELECT seal(8, 10);
SELECT throws_ok(format('SELECT operator.audit_drop_month(%L)', last_month()), 'SM900',
                 'a seal of the month is not anchored yet',
          'and seals that are not anchored (SM900)');
INSERT INTO store.signer VALUES ('0123456789abcdef', sha256('public'), '0123456789abcdef',
                                 decode(repeat('00', 60), 'hex'));
UPDATE audit.seal SET signer = '0123456789abcdef', signature = decode(repeat('00', 64), 'hex'),
    anchored_at = now();
SELECT throws_ok(format('SELECT operator.audit_drop_month(%L)', last_month()), 'SM900',
                 'the month was not exported since its last seal',
                     'and a month that was not exported (SM900)');

GRANT USAGE ON SCHEMA test TO PUBLIC;
SET LOCAL ROLE coffer_operator;
SELECT throws_ok(format('SELECT operator.audit_export_seals(%L)', last_month()), 'SM900',
          'the rows of the month were not exported since its last seal',
              'operator.audit_export_seals comes after the rows (SM900)');
SELECT throws_ok('SELECT operator.audit_export_seals(''2001-02-01'')', 'SM900',
          'the rows of the month were not exported since its last seal',
              'and refuses a month that has no seals (SM900)');
SELECT results_eq(format('SELECT id FROM operator.audit_export_month(%L)', last_month()),
                  'VALUES (8::bigint), (9)',
                  'operator.audit_export_month gives the rows of a month');
SELECT throws_ok(format('SELECT operator.audit_export_seals(%L)', last_month()), 'SM900',
                 'a seal of the month is not anchored yet',
          'operator.audit_export_seals waits for the seal that closes the month (SM900)');
SELECT throws_ok(format('SELECT operator.audit_drop_month(%L)', last_month()), 'SM900',
                 'a seal of the month is not anchored yet',
          'and operator.audit_drop_month for both (SM900)');
RESET ROLE;
UPDATE audit.seal SET signer = '0123456789abcdef', signature = decode(repeat('00', 64), 'hex'),
    anchored_at = now();
SET LOCAL ROLE coffer_operator;
SELECT throws_ok(format('SELECT operator.audit_drop_month(%L)', last_month()), 'SM900',
                 'the month was not exported since its last seal',
          'as the month is not exported before its seals are (SM900)');
SELECT results_eq(format('SELECT n FROM operator.audit_export_seals(%L)', last_month()),
                  'VALUES (2::bigint), (0)',
                  'operator.audit_export_seals gives its seals, and at last the one that closes '
                  'it');
SELECT is(operator.audit_drop_month(last_month()), 2::bigint,
          'operator.audit_drop_month gives the number of rows');
RESET ROLE;
SELECT is(to_regclass('audit.' || rule.audit_partition(last_month())), NULL,
          'and the month is gone');
SELECT isnt_empty(format('SELECT FROM audit.seal WHERE month = %L', last_month()),
                  'but not its seals');
SELECT results_eq('SELECT method, database_role, request::text FROM audit.event WHERE method LIKE '
                  '''operator.audit%'' ORDER BY id',
                  format($$VALUES ('operator.audit_export_month', 'postgres', '{"month": "%1$s"}'),
                                  ('operator.audit_export_seals', 'postgres', '{"month": "%1$s"}'),
                                  ('operator.audit_drop_month', 'postgres',
                                   '{"rows": 2, "month": "%1$s", "earlier": [], "last_id": 9, '
                                   '"first_id": 8}')$$, last_month()),
                  'all are audited, and what was dropped is said');
SELECT is(current_setting('lock_timeout'), '0', 'and the session waits for locks as before');
SELECT is(found('SELECT'), 'month_missing month ' || last_month(),
          'of which auditor.verify knows nothing as long as it is not sealed');
SELECT is(found('SELECT test.seal(10, 101)'), '', 'and then finds the rest sound');
SELECT is((SELECT count(*) FROM operator.audit_export_seals(last_month())), 2::bigint,
          'seals are exported again when the rows are gone');
SELECT is(found('DELETE FROM audit.event WHERE method = ''operator.audit_drop_month''; SELECT '
                'test.seal(10, 101)'),
          'month_missing month ' || last_month(),
              'unless the row of who dropped the month is not there');
SELECT is(found('UPDATE audit.seal s SET root = sha256(''other'') WHERE s.n = 0 AND s.no > 0;
                 UPDATE audit.seal s SET hash = rule.seal_hash(s); SELECT test.seal(10, 101)'),
          'seal_changed seal ' || (SELECT max(no) FROM audit.seal),
              'or the seal that closed the month is over other seals');
SELECT throws_ok(format('SELECT operator.audit_drop_month(%L)', last_month()), 'SM900',
                 'there is no such month',
          'a month is dropped once (SM900)');

-- A month in which nothing was called.
CREATE FUNCTION test.empty_month() RETURNS date LANGUAGE sql STABLE AS $$
    SELECT (test.last_month() - interval '1 month')::date
$$;
DO $$
BEGIN
    EXECUTE format('CREATE TABLE audit.%I PARTITION OF audit.event FOR VALUES FROM (%L) TO (%L)',
                   rule.audit_partition(test.empty_month()),
                   rule.audit_month(test.empty_month()), rule.audit_month(test.last_month()));
    EXECUTE format('ALTER TABLE audit.%I OWNER TO coffer_owner',
                   rule.audit_partition(test.empty_month()));
END
$$;
SELECT is_empty(format('SELECT * FROM operator.audit_export_month(%L)', empty_month()),
                'a month without rows is exported');
UPDATE audit.seal SET signer = '0123456789abcdef', signature = decode(repeat('00', 64), 'hex'),
    anchored_at = now() WHERE anchored_at IS NULL;
SELECT results_eq(format('SELECT n FROM operator.audit_export_seals(%L)', empty_month()),
                  'VALUES (0::bigint)',
                  'with the seal that closes it');
SELECT is(operator.audit_drop_month(empty_month()), 0::bigint, 'and dropped');
SELECT is((SELECT request FROM audit.event WHERE method = 'operator.audit_drop_month'
           ORDER BY id DESC LIMIT 1),
          jsonb_build_object('month', empty_month(), 'rows', 0, 'first_id', NULL, 'last_id', NULL,
                             'earlier', '[]'::jsonb),
          'which names no other month as long as the row about that is not sealed');

-- An epoch of the database ----------------------------------------------------------

SELECT throws_ok('SELECT operator.audit_epoch_begin('''')', 'SM900', 'an epoch begins for a reason',
          'operator.audit_epoch_begin refuses to begin without a reason (SM900)');
SELECT last_value AS given FROM audit.event_id \gset
SET LOCAL ROLE coffer_operator;
SELECT is(operator.audit_epoch_begin('a test'), 2,
          'operator.audit_epoch_begin gives the number of the epoch');
RESET ROLE;
SELECT is((SELECT (epoch, method, request->>'reason')::text FROM audit.event ORDER BY id DESC
           LIMIT 1),
          '(2,operator.audit_epoch_begin,"a test")', 'of which it is the first row');
SELECT is(auditor.changes_end(), '2.' || (:given + 1000000000000),
          'ids jump, so that none is given again that was lost,');
SELECT is((SELECT e.id FROM audit.event e ORDER BY e.id DESC LIMIT 1), :given + 1000000000001,
          'from its first row on');
SELECT is((SELECT count(*) FROM audit.event e
            WHERE NOT EXISTS (SELECT FROM audit.seal s WHERE s.epoch = e.epoch
                              AND e.xid >= s.xid_from AND e.xid < s.xid_to)),
          1::bigint, 'all before are sealed');
SELECT is((SELECT (epoch, n)::text FROM audit.seal ORDER BY no DESC LIMIT 1), '(2,0)',
          'and the chain goes on with a seal over nothing');
SELECT is(rule.verify_months_dropped(), jsonb_build_array(
              jsonb_build_object('month', empty_month(), 'rows', 0, 'first_id', NULL, 'last_id',
                                 NULL),
              jsonb_build_object('month', last_month(), 'rows', 2, 'first_id', 8, 'last_id', 9)),
                  'so the drops are believed');
SELECT is(found('INSERT INTO audit.event SELECT (jsonb_populate_record(e, ''{"id": 999999}'')).* '
                'FROM audit.event e WHERE id = 1;
                 UPDATE audit.event e SET xid = (SELECT max(s.xid_to) + 5 FROM audit.seal s) WHERE
                     id = 999999;
                 UPDATE audit.event e SET hash = rule.audit_hash(e) WHERE id = 999999'),
                     'row_unsealed row 999999',
          'a row that is put into the epoch before, past its end, is found');
SELECT is_empty('SELECT * FROM auditor.verify()', 'auditor.verify finds it sound');

-- As after pg_restore: the transaction numbers are lower than those of the seals.
UPDATE audit.seal s SET xid_to = xid_to + 1000000 WHERE no = (SELECT max(no) FROM audit.seal);
SELECT throws_like('SELECT operator.organization_create(''x'')', '%begun anew%',
          'an operator function refuses to write below the seals (SM900)');
SELECT alike(array_to_string((SELECT faults FROM daemon.hello(gen_random_uuid(), '', '{}')), '|'),
             '%audit_epoch_begin%',
             'and a daemon is told so');
SELECT is(operator.audit_epoch_begin('restored'), 3, 'operator.audit_epoch_begin mends it');
SELECT is(rule.audit_faults(), '{}', 'there is no fault any more');

-- As after pg_restore in the same cluster: the table is another one.
UPDATE audit.epoch SET event_oid = 'audit.seal'::regclass WHERE epoch = 3;
SELECT throws_like('SELECT operator.organization_create(''x'')', '%restored from a dump%',
          'an operator function refuses to write on in an epoch of another table (SM900)');
SELECT is(operator.audit_epoch_begin('restored again'), 4, 'operator.audit_epoch_begin mends it');
SELECT is(rule.audit_faults(), '{}', 'and again there is no fault');

SELECT finish();
ROLLBACK;
