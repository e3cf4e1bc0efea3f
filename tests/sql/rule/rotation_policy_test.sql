-- Rotation policies. Their checks are in argument_test.sql.
BEGIN;
\ir ../raised.sql

SELECT results_eq(format('SELECT rotation_period, next_rotation_at, given FROM '
                         'rule.rotation_policy(%L)', value), expected, title)
  FROM (VALUES
    ('{"rotation_period": "86400.5s", "next_rotation_at": "2999-01-01T00:00:00Z"}',
     'a policy with a time',
     $$VALUES (86400500000000::bigint, '2999-01-01 00:00:00+00'::timestamptz, true)$$),
    ('{"rotation_period": "3153600000s", "next_rotation_at": "2999-01-01T00:00:00+01:00"}',
     'one of the longest period',
     $$VALUES (3153600000000000000, '2998-12-31 23:00:00+00'::timestamptz, true)$$),
    ('{}', 'one that says that there is none', 'VALUES (NULL::bigint, NULL::timestamptz, true)'))
        AS t(value, title, expected);
SELECT is((rule.rotation_policy('{"rotation_period": "86400s"}')).next_rotation_at
          BETWEEN now() + interval '86400 s' AND clock_timestamp() + interval '86400 s', true,
              'without a time it is a period from now');

-- In days from now.
SELECT is(round(extract(epoch FROM rule.rotation_policy_next(now() + since * interval '1 day',
    period * 86400000000000) - now()) / 86400, 3),
          expected::numeric, format('a rotation every %s days that was due in %s is next in %s',
                                    period, since, expected))
  FROM (VALUES (0, 1, '1.000'), (-0.5, 1, '0.500'), (-1.5, 1, '0.500'), (-10.25, 3, '1.750'),
        (-0.001, 36500, '36499.999'))
    AS t(since, period, expected);
SELECT is(rule.rotation_policy_next(now(), NULL), NULL, 'without a period there is no next');

SELECT finish();
ROLLBACK;
