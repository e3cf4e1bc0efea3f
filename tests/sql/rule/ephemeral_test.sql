-- Ephemeral policies and properties. Their checks are in argument_test.sql.
BEGIN;
\ir ../raised.sql

SELECT is(rule.ephemeral_policy(value)::text, expected, format('the policy %s', value))
  FROM (VALUES ('{"time_to_live": "1800s", "action": "disable"}'::jsonb,
                '(1800000000000,f,disable)'),
               ('{"time_to_live": "2.5s", "expires_once_accessed": true, "action": "delete"}',
                '(2500000000,t,delete)'),
               ('{"time_to_live": "1.000000001s", "expires_once_accessed": null, "action": '
                '"delete"}',
                '(1000000001,f,delete)'),
               ('{"time_to_live": "31536000.000000000s", "action": "delete"}',
                '(31536000000000000,f,delete)'),
               ('{"time_to_live": null, "expires_once_accessed": true, "action": "delete"}',
                '(,t,delete)')) AS t(value, expected);

SELECT is(rule.ephemeral_time(written), expected, format('the time %s', written))
  FROM (VALUES ('2030-01-02T03:04:05Z', '2030-01-02 03:04:05+00'::timestamptz),
               ('2030-01-02T03:04:05.123456789Z', '2030-01-02 03:04:05.123457+00'),
               ('2030-01-02t03:04:05z', '2030-01-02 03:04:05+00'),
               ('2030-01-02 03:04:05+00:00', '2030-01-02 03:04:05+00'),
               ('2030-01-02T03:04:05+05:30', '2030-01-01 21:34:05+00'),
               ('2030-01-02T03:04:05-05:00', '2030-01-02 08:04:05+00'),
               ('2030-01-02T03:04:05', '2030-01-02 03:04:05+00'),
               ('2028-02-29T00:00:00Z', '2028-02-29 00:00:00+00'),
               ('2030-02-29T00:00:00Z', NULL), ('2030-13-01T00:00:00Z', NULL),
                   ('2030-01-01T25:00:00Z', NULL),
               ('2030-01-01T24:00:00Z', NULL), ('2030-01-01T23:60:00Z', NULL),
               ('2030-01-01T00:00:00+99:00', NULL),
               ('0000-01-01T00:00:00Z', NULL), ('2030-01-02', NULL), ('03:04:05Z', NULL),
               ('2030-01-02T03:04Z', NULL), ('2030-01-02T03:04:05.Z', NULL),
               ('2030-01-02T03:04:05Z ', NULL), ('infinity', NULL), ('now', NULL),
                   ('', NULL)) AS t(written, expected);
SET LOCAL TimeZone = 'Asia/Tokyo';
SELECT is(rule.ephemeral_time('2030-01-02T03:04:05'), '2030-01-02 03:04:05+00',
          'a time without an offset is in UTC, whatever the time zone of the session');
SET LOCAL DateStyle = 'SQL, DMY';
SELECT is(rule.ephemeral_time('2030-01-02T03:04:05Z') AT TIME ZONE 'UTC',
          make_timestamp(2030, 1, 2, 3, 4, 5),
          'and however it writes dates');

SELECT is(rule.ephemeral_properties('{"expires_at": "2030-01-02T03:04:05Z", "action": "delete"}'),
          ('2030-01-02 03:04:05+00', false, 'delete', true)::rule.ephemeral_properties,
              'properties with a time');
SELECT is(rule.ephemeral_properties('{"expires_once_accessed": true, "action": "disable"}'),
          (NULL, true, 'disable', true)::rule.ephemeral_properties, 'properties without');

SET LOCAL DateStyle = 'ISO';
SET LOCAL TimeZone = 'UTC';
SELECT is(rule.ephemeral_properties_from_policy(
              jsonb_populate_record(NULL::store.secret,
                                    policy || jsonb_build_object('policy_origin', origin)),
              '2030-01-01 00:00:00+00')::text, expected,
                  format('a version made under %s by %s', policy, origin))
  FROM (VALUES ('creation',
                '{"time_to_live": 1800500000000, "expires_once_accessed": true, "action": '
                '"delete"}'::jsonb,
                '("2030-01-01 00:30:00.5+00",t,delete,f)'),
               ('replaced',
                '{"time_to_live": 1800500000000, "expires_once_accessed": true, "action": '
                '"delete"}',
                '("2030-01-01 00:30:00.5+00",t,delete,t)'),
               ('added',
                '{"time_to_live": 1000001999, "expires_once_accessed": false, "action": "disable"}',
                '("2030-01-01 00:00:01.000001+00",f,disable,t)'),
               ('creation',
                '{"time_to_live": 31536000000000000, "expires_once_accessed": false, "action": '
                '"disable"}',
                '("2031-01-01 00:00:00+00",f,disable,f)'),
               ('creation', '{"expires_once_accessed": true, "action": "disable"}',
                '(,t,disable,f)'),
               (NULL, '{}', '(,,,f)')) AS t(origin, policy, expected);

SELECT finish();
ROLLBACK;
