-- Shapes. Secret, version and browse item as a whole are in the tests of secret_get,
-- secret_version_get and secret_browse.
BEGIN;
\ir ../raised.sql

SELECT is(rule.render_time(at), expected, format('the time %s', expected))
  FROM (VALUES ('2030-01-02 03:04:05.6789+00'::timestamptz, '2030-01-02T03:04:05.678900Z'),
               ('2030-01-02 03:04:05+00', '2030-01-02T03:04:05.000000Z'),
               ('2030-01-02 03:04:05.000001+09', '2030-01-01T18:04:05.000001Z'),
                   (NULL, NULL)) AS t(at, expected);
SET LOCAL TimeZone = 'Asia/Tokyo';
SELECT is(rule.render_time('2030-01-02 03:04:05+00'), '2030-01-02T03:04:05.000000Z',
          'whatever the time zone of the session');

SELECT is(rule.render_duration(nanoseconds), expected, format('the duration %s', expected))
  FROM (VALUES (1000000000, '1s'), (1800000000000, '1800s'), (31536000000000000, '31536000s'),
               (2500000000, '2.500s'), (1050000000, '1.050s'),
               (1000001000, '1.000001s'), (1500000001, '1.500000001s'),
                   (1000000010, '1.000000010s'),
               (1999999999, '1.999999999s'), (NULL, NULL)) AS t(nanoseconds, expected);

SELECT is(rule.render_policy(jsonb_populate_record(NULL::store.secret, policy))::text, expected,
          format('the policy %s', policy))
  FROM (VALUES
        ('{"time_to_live": 60000000000, "expires_once_accessed": false, "action": '
         '"disable"}'::jsonb,
                '{"time_to_live":"60s","expires_once_accessed":false,"action":"disable"}'),
               ('{"expires_once_accessed": true, "action": "delete"}',
                '{"time_to_live":null,"expires_once_accessed":true,"action":"delete"}'),
               ('{}', NULL)) AS t(policy, expected);

SELECT finish();
ROLLBACK;
