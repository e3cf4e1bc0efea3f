-- The arguments of the API: form, limits at their edges, and what comes of them.
BEGIN;
\ir ../raised.sql

-- The faults of a request, "argument reason, ...", or "fine".
CREATE FUNCTION test.faults(request jsonb, wanted text[],
                            data bytea DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_detail text;
BEGIN
    PERFORM rule.arguments(request, wanted, data);
    RETURN 'fine';
EXCEPTION
    WHEN SQLSTATE 'SM400' THEN
        GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
        RETURN (SELECT string_agg(concat_ws(' ', d ->> 'argument_name', d ->> 'reason'), ', '
                                  ORDER BY place)
                  FROM jsonb_array_elements(v_detail::jsonb -> 'details')
                WITH ORDINALITY AS t(d, place));
END
$$;

-- The reasons why one argument, named place.name, is refused with a value, or "fine".
CREATE FUNCTION test.reason(argument text, value jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(
        test.faults(jsonb_build_object(split_part(argument, '.', 1),
                                       jsonb_build_object(rtrim(split_part(argument, '.', 2), '!'),
                                                          value)),
                    ARRAY[argument]),
        '\m' || rtrim(split_part(argument, '.', 2), '!') || '[. ]', '', 'g')
$$;

-- One value of an argument of the query, as the daemon passes it.
CREATE FUNCTION test.one(value text)
RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_array(value) $$;

CREATE FUNCTION test.text_of(length integer, letter text DEFAULT 'x')
RETURNS jsonb LANGUAGE sql AS $$
    SELECT to_jsonb(repeat(letter, length))
$$;

CREATE FUNCTION test.list_of(length integer) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_agg('t'::text) FROM generate_series(1, length)
$$;

-- A path of so many components and, if that is given, so many bytes.
CREATE FUNCTION test.path_of(components integer, bytes integer DEFAULT NULL)
RETURNS jsonb LANGUAGE sql AS $$
    SELECT to_jsonb(repeat('/a', components - 1) || '/'
                        || repeat('a', coalesce(bytes - 2 * components + 1, 1)))
$$;

CREATE FUNCTION test.policy(more jsonb)
RETURNS jsonb LANGUAGE sql AS $$ SELECT '{"action": "delete"}' || more $$;

CREATE FUNCTION test.lives(time_to_live text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT test.policy(jsonb_build_object('time_to_live', time_to_live))
$$;

CREATE FUNCTION test.expires(at text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT test.policy(jsonb_build_object('expires_at', at))
$$;

-- One argument -----------------------------------------------------------------------

SELECT is(reason(argument, value), expected, format('%s, %s: %s', argument, title, expected))
  FROM (VALUES
    ('body.name!', '"a"'::jsonb, 'fine', 'one letter'),
    ('body.name!', '"Az09._-"', 'fine', 'all kinds of characters'),
    ('body.name!', text_of(255), 'fine', '255 characters'),
    ('body.name!', text_of(256), 'constraint', '256 characters'),
    ('body.name!', '""', 'constraint', 'no character'),
    ('body.name!', 'null', 'required', 'null'),
    ('body.name!', '"a b"', 'format', 'a blank'),
    ('body.name!', '"a/b"', 'format', 'a slash'),
    ('body.name!', '"é"', 'format', 'a letter beyond ASCII'),
    ('body.name!', '"a\n"', 'format', 'a newline at the end'),
    ('body.name!', '7', 'format', 'a number'),
    ('body.name!', 'true', 'format', 'a boolean'),
    ('body.name!', '["a"]', 'format', 'a list'),
    ('body.name!', '{"a": 1}', 'format', 'an object'),
    ('body.name', 'null', 'fine', 'null where it is not required'),
    ('query.secret_name!', one('a'), 'fine', 'one letter'),
    ('query.secret_name!', one(repeat('x', 256)), 'constraint', '256 characters'),
    ('query.secret_name!', one(''), 'required', 'empty'),
    ('query.secret_name!', '[]', 'required', 'absent'),

    ('path.secret_id!', '"0a1b2c3d-1111-4222-8333-444455556666"', 'fine', 'a UUID'),
    ('path.secret_id!', '"0A1B2C3D-1111-4222-8333-444455556666"', 'fine', 'a UUID in capitals'),
    ('path.secret_id!', '"0a1b2c3d111142228333444455556666"', 'format', 'a UUID without dashes'),
    ('path.secret_id!', '"{0a1b2c3d-1111-4222-8333-444455556666}"', 'format', 'a UUID in braces'),
    ('path.secret_id!', '"0a1b2c3d-1111-4222-8333-44445555666"', 'format', 'a digit less'),
    ('path.secret_id!', '"0a1b2c3d-1111-4222-8333-4444555566667"', 'format', 'a digit more'),
    ('path.secret_id!', '"0a1b2c3d-1111-4222-8333-44445555666g"', 'format', 'a digit that is none'),
    ('body.project_id', '7', 'format', 'a number'),
    ('body.project_id', '""', 'format', 'empty'),
    ('query.project_id', one(''), 'fine', 'empty'),
    ('query.organization_id', one('acme'), 'format', 'a name'),
    ('body.key_id', '"acme"', 'format', 'a name'),
    ('body.key_id', '"0a1b2c3d-1111-4222-8333-444455556666"', 'fine', 'a UUID'),

    ('body.usage!', '{"symmetric_encryption": "aes_256_gcm"}', 'fine', 'what there is'),
    ('body.usage!', '{"symmetric_encryption": "aes_256_gcm", "asymmetric_signing": null}', 'fine',
     'and null for another'),
    ('body.usage!', '{"symmetric_encryption": "unknown_symmetric_encryption"}', 'constraint',
     'another algorithm'),
    ('body.usage!', '{"asymmetric_signing": "ec_p256_sha256"}', 'constraint', 'another usage'),
    ('body.usage!',
     '{"symmetric_encryption": "aes_256_gcm", "asymmetric_signing": "ec_p256_sha256"}',
     'constraint', 'two'),
    ('body.usage!', '{"symmetric_encryption": 7}', 'constraint', 'a number'),
    ('body.usage!', '{}', 'constraint', 'none'),
    ('body.usage!', '"symmetric_encryption"', 'format', 'a text'),
    ('body.usage!', 'null', 'required', 'null'),
    ('query.usages', '["symmetric_encryption", "asymmetric_signing"]', 'fine', 'some'),
    ('query.usages', '["symmetric"]', 'fine', 'one that is none'),
    ('query.protection_level', one('hsm'), 'fine', 'hardware, to look for'),
    ('query.protection_level', one('hard'), 'format', 'no level'),
    ('body.origin', '"scaleway_kms"', 'fine', 'what there is'),
    ('body.origin', '"unknown_origin"', 'fine', 'none in particular'),
    ('body.origin', '"external"', 'constraint', 'another'),
    ('body.origin', '"here"', 'format', 'one that is none'),
    ('body.algorithm', '"aes_256_gcm"', 'fine', 'what there is'),
    ('body.algorithm', '"unknown_symmetric_encryption"', 'fine', 'none in particular'),
    ('body.algorithm', '"aes_128_gcm"', 'format', 'another'),
    ('body.unprotected', 'true', 'fine', 'a boolean'),
    ('body.unprotected', '"true"', 'format', 'a text'),
    ('body.without_plaintext', '1', 'format', 'a number'),
    ('body.rotation_policy', '{}', 'fine', 'none'),
    ('body.rotation_policy', '{"rotation_period": null, "next_rotation_at": null}', 'fine',
     'none, written out'),
    ('body.rotation_policy', '{"rotation_period": "86400s"}', 'fine', 'a day'),
    ('body.rotation_policy', '{"rotation_period": "3153600000.000000000s"}', 'fine', '100 years'),
    ('body.rotation_policy', '{"rotation_period": "86399.999999999s"}',
     'rotation_period constraint', 'less than a day'),
    ('body.rotation_policy', '{"rotation_period": "3153600000.1s"}', 'rotation_period constraint',
     'more than 100 years'),
    ('body.rotation_policy', '{"rotation_period": "30 days"}', 'rotation_period format',
     'other units'),
    ('body.rotation_policy', '{"rotation_period": 86400}', 'rotation_period format', 'a number'),
    ('body.rotation_policy',
     '{"rotation_period": "86400s", "next_rotation_at": "2999-01-01T00:00:00Z"}', 'fine',
     'a day and a time'),
    ('body.rotation_policy',
     '{"rotation_period": "86400s", "next_rotation_at": "2001-01-01T00:00:00Z"}',
     'next_rotation_at constraint', 'a time that is over'),
    ('body.rotation_policy',
     '{"rotation_period": "86400s", "next_rotation_at": "9999-12-31T23:59:59-01:00"}',
     'next_rotation_at constraint', 'a time after the last that can be written'),
    ('body.rotation_policy', '{"rotation_period": "86400s", "next_rotation_at": "soon"}',
     'next_rotation_at format', 'no time'),
    ('body.rotation_policy', '{"rotation_period": "86400s", "next_rotation_at": 7}',
     'next_rotation_at format', 'a number'),
    ('body.rotation_policy', '{"next_rotation_at": "2999-01-01T00:00:00Z"}',
     'rotation_period required', 'a time alone'),
    ('body.rotation_policy', '{"rotation_period": "1s", "next_rotation_at": "soon"}',
     'rotation_period constraint, next_rotation_at format', 'both at fault'),
    ('body.rotation_policy', '{"next_rotation_at": 7}',
     'rotation_period required, next_rotation_at format', 'a number alone'),
    ('body.rotation_policy', '"86400s"', 'format', 'a text'),

    ('path.revision!', '"1"', 'fine', 'the first'),
    ('path.revision!', '"999999999"', 'fine', 'a high one'),
    ('path.revision!', '"latest"', 'fine', 'latest'),
    ('path.revision!', '"latest_enabled"', 'fine', 'latest_enabled'),
    ('path.revision!', '"0"', 'format', 'zero'),
    ('path.revision!', '"-1"', 'format', 'a negative number'),
    ('path.revision!', '"01"', 'format', 'a leading zero'),
    ('path.revision!', '"1.0"', 'format', 'a fraction'),
    ('path.revision!', '"1 "', 'format', 'a blank'),
    ('path.revision!', '"LATEST"', 'format', 'capitals'),
    ('path.revision!', '""', 'format', 'nothing'),

    ('body.path', '"/"', 'fine', 'the root'),
    ('body.path', '""', 'fine', 'the root, written as nothing'),
    ('body.path', '"a//b/"', 'fine', 'slashes too many and too few'),
    ('body.path', '"/A.z_0-9"', 'fine', 'all kinds of characters'),
    ('body.path', path_of(32), 'fine', '32 components'),
    ('body.path', path_of(33), 'constraint', '33 components'),
    ('body.path', path_of(1, 256), 'fine', 'a component of 255 characters'),
    ('body.path', path_of(1, 257), 'constraint', 'a component of 256 characters'),
    ('body.path', to_jsonb('/' || repeat('a', 256) || '/b'), 'constraint', 'another one after it'),
    ('body.path', to_jsonb(repeat('/' || repeat('a', 255), 4)), 'fine', '1024 bytes'),
    ('body.path', to_jsonb(repeat('/' || repeat('a', 204), 5)), 'constraint', '1025 bytes'),
    ('body.path', to_jsonb(repeat('/', 2000) || 'a'), 'fine', 'more slashes than that, all one'),
    ('body.path', '"/a b"', 'format', 'a blank'),
    ('body.path', '"/a\n"', 'format', 'a newline'),
    ('body.path', '"/é"', 'format', 'a letter beyond ASCII'),
    ('body.path', '["/"]', 'format', 'a list'),
    ('query.prefix', one('/a b'), 'format', 'a blank'),
    ('query.prefix', one(''), 'fine', 'empty'),
    ('query.secret_path', one(repeat('/a', 33)), 'constraint', '33 components'),
    ('query.path', one(repeat('/a', 32)), 'fine', '32 components'),

    ('body.description', '""', 'fine', 'empty'),
    ('body.description', text_of(65535), 'fine', '65535 bytes'),
    ('body.description', text_of(65536), 'constraint', '65536 bytes'),
    ('body.description', text_of(32768, 'é'), 'constraint', 'fewer characters of more bytes'),
    ('body.description', text_of(32767, E'\n'), 'fine',
     'characters that JSON writes as two, 65534 bytes'),
    ('body.description', text_of(32768, E'\n'), 'constraint', 'and one more of them'),
    ('body.description', text_of(10923, E'\x01'), 'constraint',
     'controls, which JSON writes as six'),
    ('body.description', '7', 'format', 'a number'),

    ('body.tags', '[]', 'fine', 'none'),
    ('body.tags', 'null', 'fine', 'null'),
    ('body.tags', list_of(100), 'fine', '100 of them'),
    ('body.tags', list_of(101), 'constraint', '101 of them'),
    ('body.tags', jsonb_build_array(text_of(255, 'é')), 'fine', '255 characters'),
    ('body.tags', jsonb_build_array(text_of(256)), 'constraint', '256 characters'),
    ('body.tags', jsonb_build_array(text_of(170, E'\x01')), 'fine', 'controls, 1020 bytes'),
    ('body.tags', jsonb_build_array(text_of(171, E'\x01')), 'constraint', 'one control more'),
    ('body.tags', '["a", ""]', 'constraint', 'an empty one'),
    ('body.tags', '["a", 1]', 'format', 'a number among them'),
    ('body.tags', '["a", null]', 'format', 'null among them'),
    ('body.tags', '[["a"]]', 'format', 'a list among them'),
    ('body.tags', '"a"', 'format', 'a string'),
    ('body.tags', '{"a": "b"}', 'format', 'an object'),
    ('query.tags', '["a", "b"]', 'fine', 'two'),
    ('query.tags', '[""]', 'fine', 'an empty one, which is none'),
    ('query.tags', '["a", ""]', 'constraint', 'an empty one among others'),

    ('body.type', '"opaque"', 'fine', 'opaque'),
    ('body.type', '"certificate"', 'fine', 'certificate'),
    ('body.type', '"key_value"', 'fine', 'key_value'),
    ('body.type', '"basic_credentials"', 'fine', 'basic_credentials'),
    ('body.type', '"database_credentials"', 'fine', 'database_credentials'),
    ('body.type', '"ssh_key"', 'fine', 'ssh_key'),
    ('body.type', '"unknown_type"', 'fine', 'unknown_type'),
    ('body.type', '"Opaque"', 'format', 'capitals'),
    ('body.type', '7', 'format', 'a number'),
    ('body.product!', '"edge_services"', 'fine', 'edge_services'),
    ('body.product!', '"s2s_vpn"', 'fine', 's2s_vpn'),
    ('body.product!', '"unknown_product"', 'format', 'unknown_product'),

    ('query.order_by', one('name_asc'), 'fine', 'name_asc'),
    ('query.order_by', one('name_desc'), 'fine', 'name_desc'),
    ('query.order_by', one('created_at_asc'), 'fine', 'created_at_asc'),
    ('query.order_by', one('created_at_desc'), 'fine', 'created_at_desc'),
    ('query.order_by', one('updated_at_asc'), 'fine', 'updated_at_asc'),
    ('query.order_by', one('updated_at_desc'), 'fine', 'updated_at_desc'),
    ('query.order_by', one('name'), 'format', 'no direction'),

    ('query.status',
     '["enabled", "disabled", "scheduled_for_deletion", "deleted", "unknown_status"]', 'fine',
     'all there are'),
    ('query.status', '[""]', 'fine', 'an empty one, which is none'),
    ('query.status', '["enabled", "on"]', 'format', 'an unknown one'),

    ('body.protected', 'true', 'fine', 'true'),
    ('body.protected', 'false', 'fine', 'false'),
    ('body.protected', '"true"', 'format', 'a string'),
    ('body.protected', '1', 'format', 'a number'),
    ('body.disable_previous', '"false"', 'format', 'a string'),
    ('query.ephemeral', one('true'), 'fine', 'true'),
    ('query.ephemeral', one('True'), 'fine', 'True'),
    ('query.ephemeral', one('FALSE'), 'fine', 'FALSE'),
    ('query.ephemeral', one('0'), 'fine', '0'),
    ('query.ephemeral', one(''), 'fine', 'empty'),
    ('query.ephemeral', one('yes'), 'format', 'yes'),
    ('query.scheduled_for_deletion', one('2'), 'format', '2'),

    ('query.page', one('1'), 'fine', '1'),
    ('query.page', one('999999999'), 'fine', 'a high one'),
    ('query.page', one('0'), 'constraint', '0'),
    ('query.page', one('-1'), 'constraint', '-1'),
    ('query.page', one('1000000000'), 'fine', 'a higher one'),
    ('query.page', one(repeat('9', 1000)), 'fine', 'one beyond all'),
    ('query.page', one('-' || repeat('9', 1000)), 'constraint', 'one below all'),
    ('query.page', one('-'), 'format', 'a sign alone'),
    ('query.page', one('1.5'), 'format', 'a fraction'),
    ('query.page', one('x'), 'format', 'no number'),
    ('query.page_size', one('1'), 'fine', '1'),
    ('query.page_size', one('100'), 'fine', '100'),
    ('query.page_size', one('101'), 'constraint', '101'),
    ('query.page_size', one('0'), 'fine', '0'),
    ('query.page_size', one('-1'), 'constraint', '-1'),
    ('query.page_size', one('10000000000'), 'constraint', 'a high one'),
    ('query.page_size', one('1e2'), 'format', 'an exponent'),

    ('body.data_crc32', '0', 'fine', '0'),
    ('body.data_crc32', '4294967295', 'fine', '4294967295'),
    ('body.data_crc32', '4294967296', 'format', '4294967296'),
    ('body.data_crc32', '99999999999999999999', 'format', 'a number of 20 digits'),
    ('body.data_crc32', '-1', 'format', '-1'),
    ('body.data_crc32', '1.5', 'format', 'a fraction'),
    ('body.data_crc32', '1e300', 'format', 'a very high number'),
    ('body.data_crc32', '"0"', 'format', 'a string'),

    ('body.ephemeral_policy', lives('1s'), 'fine', '1s'),
    ('body.ephemeral_policy', lives('1.000000000s'), 'fine', '1.000000000s'),
    ('body.ephemeral_policy', lives('31536000s'), 'fine', '31536000s'),
    ('body.ephemeral_policy', lives('0.999999999s'), 'time_to_live constraint', '0.999999999s'),
    ('body.ephemeral_policy', lives('0s'), 'time_to_live constraint', '0s'),
    ('body.ephemeral_policy', lives('31536000.000000001s'), 'time_to_live constraint',
     '31536000.000000001s'),
    ('body.ephemeral_policy', lives('60'), 'time_to_live format', '60'),
    ('body.ephemeral_policy', lives('60m'), 'time_to_live format', '60m'),
    ('body.ephemeral_policy', lives('-60s'), 'time_to_live format', '-60s'),
    ('body.ephemeral_policy', lives('1.s'), 'time_to_live format', '1.s'),
    ('body.ephemeral_policy', lives('1.0000000001s'), 'time_to_live format', '1.0000000001s'),
    ('body.ephemeral_policy', lives(''), 'time_to_live format', 'an empty time_to_live'),
    ('body.ephemeral_policy', policy('{"time_to_live": 60}'), 'time_to_live format',
     '60, a number'),
    ('body.ephemeral_policy', policy('{"expires_once_accessed": true}'), 'fine',
     'expires_once_accessed alone'),
    ('body.ephemeral_policy', policy('{"expires_once_accessed": true, "time_to_live": null}'),
     'fine', 'time_to_live null'),
    ('body.ephemeral_policy', policy('{"time_to_live": "60s", "expires_once_accessed": null}'),
     'fine', 'expires_once_accessed null'),
    ('body.ephemeral_policy', policy('{"time_to_live": "60s", "action": "disable"}'), 'fine',
     'disable'),
    ('body.ephemeral_policy', policy('{"expires_once_accessed": false}'), 'required',
     'neither of the two'),
    ('body.ephemeral_policy', policy('{"expires_once_accessed": "true"}'),
     'expires_once_accessed format', 'expires_once_accessed, a string'),
    ('body.ephemeral_policy', '{"time_to_live": "60s"}', 'action required', 'no action'),
    ('body.ephemeral_policy', policy('{"time_to_live": "60s", "action": "unknown_action"}'),
     'action format', 'an unknown action'),
    ('body.ephemeral_policy', policy('{"time_to_live": "60s", "action": 7}'), 'action format',
     'an action that is a number'),
    ('body.ephemeral_policy', '{}', 'action required, required', 'nothing in it'),
    ('body.ephemeral_policy', '{"time_to_live": "x"}', 'action required, time_to_live format',
     'two at fault'),
    ('body.ephemeral_policy', '{"time_to_live": 60, "expires_once_accessed": 1, "action": 7}',
     'expires_once_accessed format, action format, time_to_live format', 'all at fault'),
    ('body.ephemeral_policy', '"60s"', 'format', 'a string'),
    ('body.ephemeral_policy', '[]', 'format', 'a list'),
    ('body.ephemeral_policy', 'null', 'fine', 'null'),

    ('body.ephemeral_properties', expires('2101-02-03T04:05:06Z'), 'fine', 'a time'),
    ('body.ephemeral_properties', expires('2101-02-03T04:05:06.123456789Z'), 'fine',
     'with nine digits'),
    ('body.ephemeral_properties', expires('2101-02-03T04:05:06+02:00'), 'fine', 'with an offset'),
    ('body.ephemeral_properties', expires('2001-02-03T04:05:06Z'), 'expires_at constraint',
     'a time that is past'),
    ('body.ephemeral_properties', expires('9999-12-31T23:59:59.999999Z'), 'fine',
     'the last time that can be written'),
    ('body.ephemeral_properties', expires('9999-12-31T23:59:59.9999999Z'), 'expires_at constraint',
     'rounded, one after it'),
    ('body.ephemeral_properties', expires('9999-12-31T23:59:59-01:00'), 'expires_at constraint',
     'one after it in UTC'),
    ('body.ephemeral_properties', expires('2101-02-30T04:05:06Z'), 'expires_at format',
     'a day that is none'),
    ('body.ephemeral_properties', expires('2101-02-03'), 'expires_at format', 'a date'),
    ('body.ephemeral_properties', expires('tomorrow'), 'expires_at format', 'a word'),
    ('body.ephemeral_properties', policy('{"expires_at": 4137534306}'), 'expires_at format',
     'a number'),
    ('body.ephemeral_properties', policy('{"expires_once_accessed": true}'), 'fine',
     'expires_once_accessed alone'),
    ('body.ephemeral_properties', policy('{}'), 'required', 'neither of the two'),
    ('body.ephemeral_properties', '{"expires_once_accessed": true}', 'action required',
     'no action'),
    ('body.ephemeral_properties',
     '{"expires_once_accessed": "x", "expires_at": "2001-02-03T04:05:06Z"}',
     'expires_once_accessed format, action required, expires_at constraint', 'all at fault'),
    ('body.ephemeral_properties', '7', 'format', 'a number')
  ) AS t(argument, value, expected, title);

-- The payload --------------------------------------------------------------------------

SELECT is(faults(request, '{body.data_crc32, data.data!}', data), expected,
          format('%s: %s', title, expected))
  FROM (VALUES
    ('{"data": "given"}'::jsonb, convert_to('x', 'UTF8'), 'fine', 'a byte'),
    ('{"data": "given"}', convert_to(repeat('x', 65536), 'UTF8'), 'fine', '65536 bytes'),
    ('{"data": "given"}', convert_to(repeat('x', 65537), 'UTF8'), 'data constraint', '65537 bytes'),
    ('{"data": "given"}', '', 'data required', 'no byte'),
    ('{"data": "given"}', NULL, 'data required', 'a daemon that passes none'),
    ('{"data": "absent"}', NULL, 'data required', 'absent data'),
    ('{"data": "invalid"}', NULL, 'data format', 'data that are not base64'),
    ('{}', NULL, 'data required', 'nothing said'),
    ('{"data": "given", "body": {"data_crc32": 3421780262}}', '123456789', 'fine', 'the checksum'),
    ('{"data": "given", "body": {"data_crc32": 3421780263}}', '123456789', 'data_crc32 constraint',
     'another checksum'),
    ('{"data": "given", "body": {"data_crc32": 0}}', '123456789', 'data_crc32 constraint',
     '0 for a checksum'),
    ('{"data": "given", "body": {"data_crc32": 0}}', '', 'data required', 'a checksum of no byte'),
    ('{"data": "invalid", "body": {"data_crc32": "x"}}', NULL, 'data_crc32 format, data format',
     'both at fault')
  ) AS t(request, data, expected, title);

-- All together ---------------------------------------------------------------------------

SELECT is(faults('{"path": {"secret_id": "x", "revision": "x"}, "body": {"description": 7,
                   "tags": 7, "ephemeral_policy": 7}, "query": {"page": ["0"], "page_size": ["x"],
                   "name": ["a b"], "type": ["x"]}}',
                 '{path.secret_id!, path.revision!, body.name!, body.description, body.tags,
                   body.ephemeral_policy, query.page, query.page_size, query.name, query.type}'),
          'secret_id format, revision format, name required, description format, tags format, '
          'ephemeral_policy format, '
          'page constraint, page_size format, name format, type format',
          'all faults are reported together, in the order of the arguments');

SELECT is(raised($$SELECT rule.arguments('{"path": {"secret_id": "x"}}',
                                         '{path.secret_id!, body.name!}')$$),
          'SM400 400 {"details":[{"argument_name":"secret_id","help_message":"value must be a '
          'valid UUID","reason":"format"},'
          '{"argument_name":"name","help_message":"value is required","reason":"required"}],'
          '"message":"invalid argument(s)","type":"invalid_arguments"}',
          'with what clients are told (SM400)');

-- What a client is told of each.
CREATE FUNCTION test.told(argument text, value jsonb, data bytea DEFAULT NULL)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_place  CONSTANT text := split_part(argument, '.', 1);
    v_name   CONSTANT text := rtrim(split_part(argument, '.', 2), '!');
    v_detail text;
BEGIN
    PERFORM rule.arguments(CASE v_place WHEN 'data' THEN jsonb_build_object('data', value)
                           ELSE jsonb_build_object('data', 'given',
                                                   v_place, jsonb_build_object(v_name, value)) END,
                           ARRAY[argument], data);
    RETURN 'fine';
EXCEPTION
    WHEN SQLSTATE 'SM400' THEN
        GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
        RETURN concat_ws(' ', v_detail::jsonb #>> '{details,0,argument_name}',
                         v_detail::jsonb #>> '{details,0,help_message}');
END
$$;
SELECT is(told(argument, value, data), expected, expected)
  FROM (VALUES
    ('body.name!', 'null'::jsonb, NULL::bytea, 'name value is required'),
    ('body.name', '7', NULL, 'name value must be a string'),
    ('body.name', '""', NULL, 'name value must have 1 to 255 characters'),
    ('body.name', '"a b"', NULL, 'name value may hold letters, digits and . _ - only'),
    ('path.secret_id', '"x"', NULL, 'secret_id value must be a valid UUID'),
    ('path.revision', '"x"', NULL,
     'revision value must be a number from 1, latest or latest_enabled'),
    ('body.path', '"a b"', NULL,
     'path value may hold letters, digits and . _ - between slashes only'),
    ('body.path', path_of(33), NULL, 'path value must have at most 32 components and 1024 bytes'),
    ('body.path', path_of(1, 257), NULL, 'path each component must have at most 255 characters'),
    ('body.description', text_of(65536), NULL, 'description value must have at most 65535 bytes'),
    ('body.tags', '7', NULL, 'tags value must be a list of strings'),
    ('body.tags', list_of(101), NULL, 'tags value must have at most 100 elements'),
    ('body.tags', '[""]', NULL, 'tags each element must have 1 to 255 characters'),
    ('body.product', '"x"', NULL, 'product value must be one of edge_services, s2s_vpn'),
    ('query.status', '["x"]', NULL,
     'status value must be one of unknown_status, enabled, disabled, deleted, '
     'scheduled_for_deletion'),
    ('body.protected', '7', NULL, 'protected value must be a boolean'),
    ('query.page', '["x"]', NULL, 'page value must be an integer'),
    ('query.page', '["0"]', NULL, 'page value must be at least 1'),
    ('query.page_size', '["101"]', NULL, 'page_size value must be from 1 to 100'),
    ('body.data_crc32', '-1', NULL, 'data_crc32 value must be an unsigned 32-bit integer'),
    ('body.data_crc32', '1', 'x', 'data_crc32 value is not the CRC-32 of the data'),
    ('data.data!', '"invalid"', NULL, 'data value must be base64'),
    ('data.data!', '"absent"', NULL, 'data value is required'),
    ('data.data!', '"given"', '', 'data value is required'),
    ('data.data!', '"given"', convert_to(repeat('x', 65537), 'UTF8'),
     'data value must have at most 65536 bytes once decoded'),
    ('body.rotation_policy', '{"rotation_period": "1s"}', NULL,
     'rotation_policy.rotation_period value must be from 86400s to 3153600000s'),
    ('body.ephemeral_policy', '7', NULL, 'ephemeral_policy value must be an object'),
    ('body.ephemeral_policy', '{}', NULL, 'ephemeral_policy.action value is required'),
    ('body.ephemeral_policy', '{"action": "x"}', NULL,
     'ephemeral_policy.action value must be one of disable, delete'),
    ('body.ephemeral_policy', policy('{}'), NULL,
     'ephemeral_policy one of time_to_live and expires_once_accessed is required'),
    ('body.ephemeral_policy', lives('x'), NULL,
     'ephemeral_policy.time_to_live value must be a number of seconds followed by s'),
    ('body.ephemeral_policy', lives('0s'), NULL,
     'ephemeral_policy.time_to_live value must be from 1s to 31536000s'),
    ('body.ephemeral_properties', policy('{}'), NULL,
     'ephemeral_properties one of expires_at and expires_once_accessed is required'),
    ('body.ephemeral_properties', expires('x'), NULL,
     'ephemeral_properties.expires_at value must be a time in RFC 3339 form'),
    ('body.ephemeral_properties', expires('2001-01-01T00:00:00Z'), NULL,
     'ephemeral_properties.expires_at value must be in the future'),
    ('body.ephemeral_properties', expires('9999-12-31T23:59:59-01:00'), NULL,
     'ephemeral_properties.expires_at value must be before the year 10000')
  ) AS t(argument, value, data, expected);

SELECT is(faults('{"body": {"name": "a", "tags": 7}}', '{body.name}'), 'fine',
          'an argument that is not wanted is not looked at');

-- A value that the daemon keeps to itself, of which it says so much.
SELECT is(faults(jsonb_build_object(name, said), ARRAY[format('cut.%s', wanted)]), expected,
          format('%s, %s: %s', wanted, said, expected))
  FROM (VALUES
    ('plaintext', 'plaintext!', '{"state": "absent", "size": 0}'::jsonb, 'plaintext required'),
    ('plaintext', 'plaintext!', '{"state": "invalid", "size": 0}', 'plaintext format'),
    ('plaintext', 'plaintext!', '{"state": "given", "size": 0}', 'plaintext required'),
    ('plaintext', 'plaintext!', '{"state": "given", "size": 1}', 'fine'),
    ('plaintext', 'plaintext!', '{"state": "given", "size": 65535}', 'fine'),
    ('plaintext', 'plaintext!', '{"state": "given", "size": 65536}', 'plaintext constraint'),
    ('other', 'plaintext!', '{"state": "given", "size": 1}', 'plaintext required'),
    ('ciphertext', 'ciphertext!', '{"state": "absent", "size": 0}', 'ciphertext required'),
    ('ciphertext', 'ciphertext!', '{"state": "invalid", "size": 0}', 'ciphertext format'),
    ('ciphertext', 'ciphertext!', '{"state": "given", "size": 0}', 'ciphertext required'),
    ('ciphertext', 'ciphertext!', '{"state": "given", "size": 1, "rotation": null}', 'fine'),
    ('ciphertext', 'ciphertext!', '{"state": "given", "size": 131071, "rotation": 1}', 'fine'),
    ('ciphertext', 'ciphertext!', '{"state": "given", "size": 131072, "rotation": 1}',
     'ciphertext constraint'),
    ('associated_data', 'associated_data', '{"state": "absent", "size": 0}', 'fine'),
    ('associated_data', 'associated_data', '{"state": "given", "size": 0}', 'fine'),
    ('associated_data', 'associated_data', '{"state": "given", "size": 200000}', 'fine'),
    ('associated_data', 'associated_data', '{"state": "invalid", "size": 0}',
     'associated_data format')
  ) AS t(name, wanted, said, expected);

-- What comes of them ---------------------------------------------------------------------

SELECT is(to_jsonb(rule.arguments('{}',
                                  '{body.name, query.page, query.tags}'))
                                      - '{page,page_size,order_by}'::text[],
          (SELECT jsonb_object_agg(attname, NULL) FROM pg_attribute
            WHERE attrelid = 'rule.argument'::regclass
              AND attnum > 0 AND attname <> ALL ('{page,page_size,order_by}')),
          'what is absent is null');
SELECT results_eq($$SELECT page, page_size, order_by
                      FROM rule.arguments('{"query": {"page_size": ["0"]}}',
                                          '{query.page, query.page_size, query.order_by}')$$,
                  $$VALUES (1, 50, 'name_asc')$$,
                  'but page, page_size and order_by have their defaults, page_size also for 0');
SELECT results_eq($$SELECT page, page_size, order_by, ephemeral, tags
                      FROM rule.arguments(
                          '{"query": {"page": ["2", "3"], "page_size": ["7"],
                            "order_by": ["name_desc"], "ephemeral": ["True"],
                            "tags": ["b", "a", "b"]}}',
                          '{query.page, query.page_size, query.order_by, query.ephemeral, '
                          'query.tags}')$$,
                  $$VALUES (2, 7, 'name_desc', true, '{b,a,b}'::text[])$$,
                  'arguments of a query are typed; of one that is repeated the first counts, '
                  'unless it is a list');
SELECT is((rule.arguments('{"body": {"type": "unknown_type"}}', '{body.type}')).type, NULL,
          'unknown_type says nothing');
SELECT is(rule.argument_path(written), path, format('the path %s is %s', written, path))
  FROM (VALUES ('', '/'), ('/', '/'), ('//', '/'), ('a', '/a'), ('/a/', '/a'),
               ('a//b///c//', '/a/b/c'),
               ('/.', '/.')) AS t(written, path);
SELECT is((rule.arguments('{"body": {"path": "a//b/"}}', '{body.path}')).path, '/a/b',
          'and that is what an endpoint gets');

SELECT finish();
ROLLBACK;
