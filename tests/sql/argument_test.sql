-- The forms of arguments agree with each other and with the endpoints. What a value must be is in
-- rule/argument_test.sql.
BEGIN;
\ir setup.sql

CREATE TEMPORARY VIEW wanted AS
SELECT p.proname, a[1] AS place, coalesce(a[3], a[2]) AS argument
  FROM pg_proc p,
       regexp_matches(p.prosrc, E'\\m(path|query|body|cut|data)[.]([a-z0-9_]+)(?::([a-z0-9_]+))?',
                      'g') AS a
 WHERE p.pronamespace = 'endpoint'::regnamespace;
SELECT is_empty($$SELECT * FROM wanted w
                   WHERE NOT EXISTS (SELECT FROM rule.argument_form f
                                      WHERE f.argument = w.argument AND w.place = ANY (f.places))$$,
                'an endpoint takes each argument from a place that its form names');
SELECT is_empty($$SELECT f.argument, place FROM rule.argument_form f, unnest(f.places) AS place
                  EXCEPT SELECT argument, place FROM wanted$$,
                'an endpoint takes each argument from each place that its form names');
SELECT is((SELECT count(*) FROM rule.argument_form),
          (SELECT count(DISTINCT argument) FROM rule.argument_form),
          'an argument has one form');
SELECT is_empty($$SELECT argument FROM rule.argument_form
                   WHERE kind NOT IN (SELECT kind FROM rule.argument_kind)$$,
                'the kind of each argument is known');
SELECT is_empty($$SELECT kind FROM rule.argument_kind
                   WHERE kind NOT IN (SELECT kind FROM rule.argument_form)$$,
                'each kind has an argument');
SELECT is_empty($$SELECT kind, place FROM rule.argument_check c
                   WHERE (place = 0) <> (kind IN (SELECT json FROM rule.argument_kind))
                      OR place > 0 AND kind NOT IN (SELECT kind FROM rule.argument_kind)$$,
                'each check is of a kind or of a JSON type that a kind has');
SELECT is_empty($$SELECT kind, place FROM rule.argument_check GROUP BY kind, place
                  HAVING count(*) > 1$$,
                'the checks of a kind have an order');
SELECT is_empty($$SELECT reason FROM rule.argument_check 
                   WHERE reason NOT IN ('required', 'format', 'constraint')$$,
                'each check has a reason of the contract');
SELECT is_empty($$SELECT argument FROM rule.argument_form
                   WHERE (choices IS NULL) = (kind IN ('choice', 'choices'))
                      OR (limits IS NULL) <> (message IS NULL)$$,
                'a choice has choices, and limits have their message');
SELECT results_eq($$SELECT f.argument COLLATE "C", k.type::regtype FROM rule.argument_form f
                      JOIN rule.argument_kind k USING (kind)
                     WHERE k.type IS NOT NULL ORDER BY f.no$$,
                  $$SELECT attname::text COLLATE "C", atttypid::regtype
                      FROM pg_attribute WHERE attrelid = 'rule.argument'::regclass AND attnum > 0
                     ORDER BY attnum$$,
                  'rule.argument has a member of its type for each argument that endpoints get');

SELECT finish();
ROLLBACK;
