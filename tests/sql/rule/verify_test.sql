-- What auditor.verify is made of. The attacks that it finds are in auditor/verify_test.sql.
BEGIN;
\ir ../setup.sql
\ir ../sealed.sql
CREATE FUNCTION test.seals(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_found text;
BEGIN
    EXECUTE statement;
    SELECT coalesce(string_agg(v.kind || ' ' || v.place, ', ' ORDER BY v.place, v.kind), '')
           INTO v_found
      FROM rule.verify_chain('-infinity', 'infinity') AS v;
    RAISE EXCEPTION 'undo';
EXCEPTION
    WHEN raise_exception THEN
        RETURN v_found;
END
$$;

-- The chain
SELECT is(seals('SELECT'), '', 'rule.verify_chain finds nothing in a sound chain');
SELECT is(seals('DELETE FROM audit.event'), '', 'and does not look at rows');
SELECT is(seals('UPDATE audit.seal SET n = n + 1 WHERE no = 2'), 'seal_changed seal 2',
          'rule.verify_chain finds a seal that was changed');
SELECT is(seals('UPDATE audit.seal SET xid_from = xid_from - 1 WHERE no = 2; UPDATE audit.seal s '
                'SET hash = rule.seal_hash(s) WHERE no = 2'),
          'seal_gap seal 2, chain_broken seal 3, seal_gap seal 3',
              'one whose transactions do not go on');
SELECT is(seals('DELETE FROM audit.seal WHERE no IN (1, 2)'), 'seal_missing seal 3',
          'one that is missing');
SELECT is(seals('DELETE FROM audit.seal'), 'seal_missing seal 0', 'and all of them');
SELECT is(seals(format('SELECT rule.seal_append(%s, %L, 7, 7, %s, sha256(''''))', epoch,
                       month()::date, n)), expected, title)
  FROM (VALUES (2, 0, '', 'an epoch begins with a seal over nothing'),
        (2, 1, 'seal_gap seal 5', 'and with no other'),
               (3, 0, 'seal_gap seal 5', 'and none is left out')) AS t(epoch, n, expected, title);
UPDATE audit.seal SET sealed_at = '2001-01-01 00:00:00+00'::timestamptz + no * interval '1 hour';
SELECT is((SELECT array_agg(DISTINCT v.place)
           FROM rule.verify_chain('2001-01-01 01:00:00+00', '2001-01-01 03:00:00+00') AS v),
          '{seal 1,seal 2}', 'rule.verify_chain looks at the seals of a time');

-- Rows of a month
SELECT is_empty(format('SELECT FROM rule.verify_month(1, %L, ''-infinity'', ''infinity'')',
                       month()::date), 'rule.verify_month finds nothing in a sound month');
UPDATE audit.event SET status = 404 WHERE id = 4;
SELECT is_empty(format('SELECT FROM rule.verify_month(1, %L, ''-infinity'', ''infinity'')',
                       month()::date), 'nor what is wrong in another');
SELECT results_eq(format('SELECT kind, place FROM rule.verify_month(1, %L, ''-infinity'', '
                         '''infinity'')', (month() + interval '1 month')::date),
                  $$VALUES ('row_changed', 'row 4')$$, 'which it finds there');
SELECT is_empty(format('SELECT FROM rule.verify_month(2, %L, ''-infinity'', ''infinity'')',
                       (month() + interval '1 month')::date), 'in that epoch');

-- Months without rows
SELECT ok(rule.verify_month_has_rows(month()::date),
          'rule.verify_month_has_rows knows a month with rows');
SELECT ok(NOT rule.verify_month_has_rows((month() + interval '2 months')::date), 'and one without');
UPDATE audit.seal s SET hash = rule.seal_hash(s);
SELECT ok(rule.verify_seal_holds(s), 'rule.verify_seal_holds: seal ' || s.no) FROM audit.seal s
 WHERE s.no IN (1, 2, 3, 4);
SELECT is_empty('SELECT FROM rule.verify_absent(''-infinity'', ''infinity'')',
                'rule.verify_absent finds nothing where all months have rows');
SELECT is(rule.verify_months_dropped(), '[]', 'rule.verify_months_dropped knows of none');
DELETE FROM audit.event WHERE at < month() + interval '1 month';
SELECT results_eq('SELECT kind, place, words FROM rule.verify_absent(''-infinity'', ''infinity'')',
                  format($$VALUES ('month_missing', 'month %s',
                                   'none of the 4 rows of seals 1 to 2 is there, and no sealed row '
                                   'of '
                                   'operator.audit_drop_month says that they were dropped')$$,
                                       month()::date),
                                           'rule.verify_absent finds one that has none');
SELECT is_empty('SELECT FROM rule.verify_absent(''2001-01-01'', ''2001-01-01 01:00:00+00'')',
                'by seals of that time');
SELECT is_empty(format('SELECT FROM rule.verify_month(1, %L, ''-infinity'', ''infinity'')',
                       month()::date), 'and rule.verify_month leaves it to that');
SELECT ok(NOT rule.verify_seal_holds(s), 'rule.verify_seal_holds misses its rows') FROM audit.seal s
 WHERE s.no = 1;

SELECT finish();
ROLLBACK;
