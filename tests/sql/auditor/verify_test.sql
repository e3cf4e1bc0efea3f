-- auditor.verify, as a superuser would attack the audit.
BEGIN;
\ir ../setup.sql
\ir ../sealed.sql

SELECT is_empty('SELECT * FROM auditor.verify()', 'auditor.verify finds nothing in a sound audit');
SELECT results_eq('SELECT no, n FROM audit.seal ORDER BY no',
                  $$VALUES (0::bigint, 0::bigint), (1, 3), (2, 1), (3, 1), (4, 2)$$,
                      'which has five seals, the first over nothing');
SELECT is(found(format('SELECT test.make_event(8, %s)', 9)), '',
          'nor in rows that are not sealed yet');
SELECT is(found('UPDATE audit.seal SET instance = gen_random_uuid(), taken_at = now()'), '',
          'nor in what daemons note on seals');

-- Rows ---------------------------------------------------------------------------

-- One change of each column, by its type. A changed id or time leaves the row in its place, another
-- transaction does not.
CREATE FUNCTION test.other(name text, type regtype) RETURNS text LANGUAGE sql AS $$
    SELECT format(CASE type::text
        WHEN 'bigint' THEN CASE name WHEN 'xid_from' THEN '%1$I - 1' ELSE '%1$I + 100' END
        WHEN 'integer' THEN '%1$I + 1'
        WHEN 'smallint' THEN '(%1$I + 1)::smallint'
        WHEN 'text' THEN '%1$I || ''x'''
        WHEN 'uuid' THEN 'gen_random_uuid()'
        WHEN 'date' THEN '%1$I + 31'
        WHEN 'timestamp with time zone' THEN '%1$I + interval ''1 microsecond'''
        WHEN 'inet' THEN '%1$I + 1'
        WHEN 'jsonb' THEN '%1$I || ''{"x": 1}'''
        WHEN 'bytea' THEN 'set_byte(%1$I, 31, get_byte(%1$I, 31) # 1)'
    END, name)
$$;

SELECT is(found(format('UPDATE audit.event SET %I = %s WHERE id = 3', attname,
                       test.other(attname, atttypid))),
          CASE attname WHEN 'id' THEN 'row_changed row 103'
                       WHEN 'xid' THEN 'row_changed row 3, rows_missing seal 1'
                       WHEN 'epoch' THEN
                           'row_changed row 3, row_unsealed row 3, rows_missing seal 1'
                       WHEN 'hash' THEN 'row_changed row 3, rows_exchanged seal 1'
                       ELSE 'row_changed row 3' END,
          'auditor.verify finds a row whose ' || attname || ' was changed')
  FROM pg_attribute WHERE attrelid = 'audit.event'::regclass AND attnum > 0 AND NOT attisdropped;
SELECT is(found(format('UPDATE audit.event SET %I = NULL WHERE id = 3', attname)),
          'row_changed row 3',
          'auditor.verify finds a row whose ' || attname || ' was taken away')
  FROM pg_attribute WHERE attrelid = 'audit.event'::regclass AND attnum > 0 AND NOT attnotnull;

SELECT is(found('UPDATE audit.event e SET status = 404, hash = rule.audit_hash(e) WHERE id = 3;
                 UPDATE audit.event e SET hash = rule.audit_hash(e) WHERE id = 3'),
          'rows_exchanged seal 1', 'a row changed together with its hash');
SELECT is(found('UPDATE audit.event SET at = at + interval ''1 month'' WHERE id = 3'),
          'row_changed row 3, row_unsealed row 3, rows_missing seal 1',
              'a row moved to another month');
SELECT is(found('DELETE FROM audit.event WHERE id = 2'), 'rows_missing seal 1', 'a deleted row');
SELECT is(found('DELETE FROM audit.event WHERE id IN (6, 7)'), 'rows_missing seal 4',
          'a tail that was cut off');
SELECT is(found('TRUNCATE audit.event'),
          format('month_missing month %s, month_missing month %s', month()::date,
                 (month() + interval '1 month')::date), 'an emptied audit');
SELECT is(found('DELETE FROM audit.event WHERE id IN (1, 2, 3)'), 'rows_missing seal 1',
          'a seal without any of its rows');
SELECT is(found('SELECT test.make_event(9, 1)'), 'rows_added seal 1', 'an inserted row');
SELECT is(found('SELECT test.make_event(9, 1, test.month() + interval ''2 months'')'),
          'row_unsealed row 9',
          'an inserted row, in a month that has no seal');
SELECT is(found('SELECT test.make_event(9, 3, test.month() + interval ''1 hour'')'),
          'rows_added seal 2',
          'an inserted row, in the other month of a seal');
SELECT is(found('SELECT test.make_event(9, 6, test.month() + interval ''1 hour'')'),
          'row_unsealed row 9',
          'an inserted row, in a month that was over');
SELECT is(found('DELETE FROM audit.event WHERE id = 3; SELECT test.make_event(3, 1)'),
          'rows_exchanged seal 1',
          'a row put in place of another');
SELECT is(found('UPDATE audit.event SET id = CASE id WHEN 1 THEN 2 ELSE 1 END WHERE id IN (1, 2)'),
          'row_changed row 1, row_changed row 2, rows_exchanged seal 1',
              'two rows in each other''s place');
SELECT is(found(format('DROP TABLE audit.%I', rule.audit_partition(month()::date))),
          'month_missing month ' || month()::date,
          'a month that was dropped by hand');

-- Months that were said to be dropped, and were not ------------------------------

CREATE FUNCTION test.next_month() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(test.month() AT TIME ZONE 'UTC' + interval '1 month', 'YYYY-MM-DD')
$$;
-- Rows of operator.audit_drop_month as a superuser would write them, with a hash that fits.
CREATE FUNCTION test.say_dropped(id bigint, xid bigint, at timestamptz,
                                 request jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM test.make_event(say_dropped.id, say_dropped.xid, say_dropped.at);
    UPDATE audit.event e SET method = 'operator.audit_drop_month', error = NULL,
        request = say_dropped.request WHERE e.id = say_dropped.id;
    UPDATE audit.event e SET hash = rule.audit_hash(e) WHERE e.id = say_dropped.id;
END
$$;
CREATE FUNCTION test.dropped(statement text) RETURNS text LANGUAGE sql AS $$
    SELECT test.found(format('DELETE FROM audit.event e WHERE e.at < %L;',
                             test.month() + interval '1 month') || statement)
$$;
CREATE FUNCTION test.missing() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT 'month_missing month ' || test.month()::date
$$;
SELECT is(dropped(format('INSERT INTO audit.month VALUES (%1$L, now(), now()), (%2$L, now(), '
                         'now())', month()::date, next_month())),
          missing(), 'auditor.verify does not believe notes');
SELECT is(dropped(format('INSERT INTO audit.month VALUES (%L, now(), %L);
                          SELECT test.say_dropped(9, 8, %2$L, ''{"month": "%1$s", "rows": 4}'')',
                                 month()::date, month() + interval '1 month 1 hour')),
          missing(), 'nor a row that is not sealed');
SELECT is(dropped(format('SELECT test.say_dropped(9, 6, %2$L, ''{"month": "%1$s", "rows": 4}'')',
                         month()::date, month() + interval '1 month 1 hour')),
          missing() || ', rows_added seal 4', 'nor one that was put in afterwards');
SELECT is(dropped(format('UPDATE audit.event e SET method = ''operator.audit_drop_month'', error = '
                         'NULL,
                                 request = ''{"month": "%s", "rows": 4}'' WHERE id = 6',
                                     month()::date)),
          missing() || ', row_changed row 6', 'nor one that was changed');
SELECT is(dropped(format('SELECT test.say_dropped(9, 8, %2$L, ''{"month": "%1$s", "rows": 4}''), '
                         'test.seal(8, 9);
                          UPDATE audit.seal SET n = 1, xid_from = xid_from + 1 WHERE no = 5',
                              month()::date, month() + interval '1 month 1 hour')),
          missing() ||
              ', row_unsealed row 9, rows_missing seal 5, seal_changed seal 5, seal_gap seal 5',
                  'nor one whose seal was changed');
SELECT is(dropped(format('SELECT test.say_dropped(9, 8, %L, %L), test.seal(8, 9)',
                         month() + interval '1 month 1 hour', said)), missing(), title)
  FROM (VALUES (NULL, 'nor one that names no month'),
               ('[]', 'or is of another form'),
               ('{"month": 7, "rows": {}, "earlier": [3, "x", [], {"month": []}]}', 'however odd'),
               (format('{"month": "%s", "rows": 3}', month()::date),
                'or has another number of rows than its seals'),
               (format('{"month": "%s"}', month()::date), 'or none'),
               (format('{"month": "%s", "rows": 4}', next_month()), 'or another month')) AS t(said,
                   title);
SELECT is(found(format('SELECT test.say_dropped(9, 8, test.month() + interval ''3 hours'', '
                       '''{"month": "%s", "rows": 4}''), test.seal(8, 9);
                        DELETE FROM audit.event WHERE at < %L AND id < 9', month()::date,
                            month() + interval '1 month')),
          'rows_missing seal 1, rows_missing seal 2', 'nor one of that very month');
SELECT is(dropped(format('SELECT test.say_dropped(9, 8, %L, ''{"month": "%s", "rows": 4}''), '
                         'test.seal(8, 9)',
                         month() + interval '1 month 1 hour', month()::date)), '',
                             'one that was sealed is believed');
SELECT is(dropped(format('DELETE FROM audit.event;
                          SELECT test.say_dropped(9, 8, %L, ''{"month": "%s", "rows": 3,
                              "earlier": [{"month": "%s", "rows": 4}]}''), test.seal(8, 9)',
                         month() + interval '2 months 1 hour', next_month(), month()::date)), '',
          'and names those that were dropped before');
SELECT is(dropped(format('SELECT test.say_dropped(9, 8, %1$L, ''{"month": "%2$s", "rows": 4}''), '
                         'test.seal(8, 9),
                                 test.make_event(10, 1), test.make_event(11, 5, %3$L)',
                         month() + interval '1 month 1 hour', month()::date,
                             month() + interval '1 hour')),
          'row_unsealed row 11, rows_missing seal 1, rows_missing seal 2',
          'but rows are looked at, if the month has any');

-- Partitions of other names ------------------------------------------------------

SELECT is(found($$CREATE TABLE audit.event_2030_01 PARTITION OF audit.event FOR VALUES
                FROM ('2020-01-01 00:00+00') TO ('2020-02-01 00:00+00');
                  SELECT test.make_event(9, 6, '2020-01-05 00:00+00')$$), 'row_unsealed row 9',
                         'a row in a partition with the name of another month');
SELECT is(found($$CREATE TABLE audit.event_rest PARTITION OF audit.event DEFAULT;
                  SELECT test.make_event(9, 6, '2020-01-05 00:00+00')$$), 'row_unsealed row 9',
                         'or in one for all others');

-- Seals --------------------------------------------------------------------------

SELECT alike(found(format('UPDATE audit.seal SET %I = %s WHERE no = 2', attname,
                          test.other(attname, atttypid))), '%seal_changed seal %',
             'auditor.verify finds a seal whose ' || attname || ' was changed')
  FROM pg_attribute
 WHERE attrelid = 'audit.seal'::regclass
   AND attname = ANY ('{no,epoch,month,xid_from,xid_to,n,root,prev,sealed_at,hash}');
SELECT is(found('UPDATE audit.seal s SET n = 2 WHERE no = 2; UPDATE audit.seal s SET hash = '
                'rule.seal_hash(s) WHERE no = 2'),
          'chain_broken seal 3, rows_missing seal 2', 'a seal changed together with its hash');
SELECT is(found('DELETE FROM audit.seal WHERE no = 0'), 'seal_missing seal 1',
          'the first seal removed');
SELECT is(found('DELETE FROM audit.seal WHERE no = 1'),
          'row_unsealed row 1, row_unsealed row 2, row_unsealed row 3, seal_missing seal 2',
              'a seal removed');
SELECT is(found('DELETE FROM audit.seal WHERE no = 1; DELETE FROM audit.event WHERE id <= 3'),
          'seal_missing seal 2',
          'a seal removed with its rows');
SELECT is(found('DELETE FROM audit.seal WHERE no = 1; DELETE FROM audit.event WHERE id <= 3;
                 UPDATE audit.seal SET no = no - 1 WHERE no > 1'),
          'chain_broken seal 1, seal_changed seal 1, seal_changed seal 2, seal_changed seal 3, '
          'seal_gap seal 1',
          'and the others moved up');
SELECT is(found('DELETE FROM audit.seal'),
          'row_unsealed row 1, row_unsealed row 2, row_unsealed row 3, row_unsealed row 4, '
          'row_unsealed row 5, '
          'row_unsealed row 6, row_unsealed row 7, seal_missing seal 0', 'all seals removed');
INSERT INTO store.signer VALUES ('0123456789abcdef', sha256('public'), '0123456789abcdef',
                                 decode(repeat('00', 60), 'hex'));
SELECT is(found('UPDATE audit.seal SET signer = ''0123456789abcdef'', signature = '
                'decode(repeat(''00'', 64), ''hex'') WHERE no <> 2'),
          'seal_unsigned seal 2', 'a signature taken away');

-- What only anchors outside can tell ---------------------------------------------

CREATE FUNCTION test.recompute() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM audit.seal WHERE no > 0;
    PERFORM test.seal(0, 2), test.seal(2, 5), test.seal(5, 8);
END
$$;
SELECT is(found('DELETE FROM audit.event WHERE id = 2; SELECT test.recompute()'), '',
          'auditor.verify does not find a chain that was made anew');
SELECT is(found('DELETE FROM audit.event WHERE id IN (6, 7); DELETE FROM audit.seal WHERE no = 4'),
          '', 'nor a tail that was cut off with its seal');

-- A part of it -------------------------------------------------------------------

UPDATE audit.seal SET sealed_at = '2001-01-01 00:00:00+00'::timestamptz + no * interval '1 hour';
CREATE FUNCTION test.rehash() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 0..4 LOOP
        UPDATE audit.seal SET prev = (SELECT b.hash FROM audit.seal b WHERE b.no = i - 1)
        WHERE no = i AND i > 0;
        UPDATE audit.seal s SET hash = rule.seal_hash(s) WHERE no = i;
    END LOOP;
END
$$;
SELECT rehash();
DELETE FROM audit.event WHERE id = 5;
SELECT results_eq($$SELECT place FROM auditor.verify('2001-01-01 02:00:00+00',
                                                     '2001-01-01 03:00:00+00')$$,
                                                         $$VALUES ('seal 2')$$,
                  'auditor.verify looks at the seals of a time');
SELECT is_empty($$SELECT place FROM auditor.verify('2001-01-01 03:00:00+00')$$,
                'and not at others after');
SELECT is_empty($$SELECT place FROM auditor.verify(until => '2001-01-01 02:00:00+00')$$,
                'or before');
SELECT results_eq('SELECT place FROM auditor.verify(NULL, NULL)', $$VALUES ('seal 2')$$,
                  'and without a time at all of them');
SET LOCAL ROLE coffer_auditor;
SELECT results_eq('SELECT kind, place, words FROM auditor.verify()',
                  $$VALUES ('rows_missing', 'seal 2', '1 of its 1 rows are missing')$$,
                  'an auditor may ask');

SELECT finish();
ROLLBACK;
