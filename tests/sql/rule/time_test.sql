-- Times that operators give.
BEGIN;
\ir ../raised.sql

SELECT is(raised(format('SELECT rule.time_require_future(%L, %L)', 'expires_at', at)), 'nothing',
          title || ' passes')
  FROM (VALUES (clock_timestamp() + interval '1 s', 'a time that is to come'),
               ('9999-12-31 23:59:59.999999+00', 'the last that RFC 3339 writes'),
               (NULL, 'none')) AS t(at, title);
SELECT throws_ok(format('SELECT rule.time_require_future(%L, %L)', 'expires_at', at), 'SM900',
                 message, title || ' does not (SM900)')
  FROM (VALUES ('infinity'::timestamptz, 'expires_at is infinite', 'infinity'),
               ('-infinity', 'expires_at is infinite', 'its negative'),
               ('2001-02-03 04:05:06.789+01',
                'expires_at is in the past: 2001-02-03T03:05:06.789000Z', 'a time of before'),
               ('10000-01-01 00:00:00+00', 'expires_at is after the year 9999',
                'what RFC 3339 cannot write')) AS t(at, message, title);

SELECT finish();
ROLLBACK;
