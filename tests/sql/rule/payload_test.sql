-- Payloads: types, checksums, encoding.
BEGIN;
\ir ../raised.sql

-- A cast that somebody has made from text, which would see what is cast --------------------

CREATE TABLE test.seen (plaintext text);
CREATE FUNCTION test.evil(plaintext text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO test.seen VALUES (plaintext);
    RETURN jsonb_in(textout(plaintext));
END
$$;
CREATE FUNCTION test.evil_bits(plaintext text) RETURNS bit LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO test.seen VALUES (plaintext);
    RETURN bit_in(textout(plaintext), 0, 32);
END
$$;
CREATE FUNCTION test.evil_number(number bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO test.seen VALUES ('a checksum');
    RETURN textin(int8out(number));
END
$$;
CREATE CAST (text AS jsonb) WITH FUNCTION test.evil(text) AS IMPLICIT;
CREATE CAST (text AS bit) WITH FUNCTION test.evil_bits(text) AS ASSIGNMENT;
CREATE CAST (bigint AS text) WITH FUNCTION test.evil_number(bigint) AS ASSIGNMENT;
CREATE FUNCTION pg_catalog.convert_from(bytea, text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO test.seen VALUES ('a payload');
    RETURN convert_from($1, $2::name);
END
$$;
SELECT rule.payload_check(type, '{"a":"b"}'), rule.payload_crc32('\x0112345678'),
       rule.access_render(s, 1, '\x0112345678')
  FROM unnest('{key_value,basic_credentials,database_credentials,ssh_key,certificate}'::text[])
       AS type,
       (SELECT NULL::store.secret) AS s(s) \g /dev/null
SELECT is_empty('SELECT * FROM test.seen',
                'a cast or a function of somebody else sees no plaintext');
DROP FUNCTION pg_catalog.convert_from(bytea, text);
DROP CAST (text AS jsonb);
DROP CAST (text AS bit);
DROP CAST (bigint AS text);

-- Types ---------------------------------------------------------------------------------

CREATE FUNCTION test.faults(type text, data text) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(rule.payload_check(type, convert_to(data, 'UTF8')), 'fine')
$$;

SELECT is(faults(type, data), expected, format('%s, %s', type, title))
  FROM (VALUES
    ('opaque', E'\x01 "no', 'fine', 'anything'),

    ('key_value', '{}', 'fine', 'nothing in it'),
    ('key_value', '{"a": "b", "c": 1, "d": 1.5, "e": true, "f": false, "": ""}', 'fine',
     'strings, numbers and booleans'),
    ('key_value', ' { "a" : "é\u00e9\n" } ', 'fine', 'white space and escapes'),
    ('key_value', '{"a": null}', E'- a: Invalid type. Expected: string, given: null\n', 'null'),
    ('key_value', '{"b": {}, "a": ["x"], "c": "d"}',
                  E'- a: Invalid type. Expected: string, given: array\n- b: Invalid type. '
                   'Expected: string, given: object\n',
     'two faults, by name'),
    ('key_value', '[]', E'- (root): Invalid type. Expected: object, given: array\n', 'a list'),
    ('key_value', '"a"', E'- (root): Invalid type. Expected: object, given: string\n', 'a string'),
    ('key_value', '1', E'- (root): Invalid type. Expected: object, given: integer\n', 'an integer'),
    ('key_value', '1e2', E'- (root): Invalid type. Expected: object, given: integer\n',
     'an integer, written otherwise'),
    ('key_value', '1.5', E'- (root): Invalid type. Expected: object, given: number\n',
     'a fraction'),
    ('key_value', 'true', E'- (root): Invalid type. Expected: object, given: boolean\n',
     'a boolean'),
    ('key_value', 'null', E'- (root): Invalid type. Expected: object, given: null\n', 'null alone'),
    ('key_value', '{"a": "b"', 'Invalid json', 'a brace short'),
    ('key_value', '{"a": "b"} x', 'Invalid json', 'something after it'),
    ('key_value', 'x', 'Invalid json', 'a word'),
    ('key_value', '{"a": "\u0000"}', 'Invalid json', 'a NUL'),
    ('key_value', '{"a": "\ud800"}', 'Invalid json', 'half a surrogate'),
    ('key_value', '{"a": 1e1000000}', 'Invalid json', 'a number beyond measure'),
    ('key_value', repeat('[', 60000), 'Invalid json', 'nesting beyond measure'),

    ('basic_credentials', '{"username": "u", "password": "p"}', 'fine', 'both members'),
    ('basic_credentials', '{"password": "", "username": ""}', 'fine',
     'in another order, and empty'),
    ('basic_credentials', '{}', E'- (root): username is required\n- (root): password is required\n',
     'neither'),
    ('basic_credentials', '{"username": {}, "password": "p"}',
     E'- username: Invalid type. Expected: string, given: object\n', 'an object'),
    ('basic_credentials', '{"username": 1, "password": 1.5}',
                          E'- username: Invalid type. Expected: string, given: integer\n- '
                           'password: Invalid type. Expected: string, given: number\n',
     'numbers'),
    ('basic_credentials', '{"username": true, "password": null}',
                          E'- username: Invalid type. Expected: string, given: boolean\n- '
                           'password: Invalid type. Expected: string, given: null\n',
     'no strings'),
    ('basic_credentials', '{"username": "u", "password": "p", "b": 1, "a": 1}',
                          E'- (root): Additional property a is not allowed\n- (root): Additional '
                           'property b is not allowed\n',
     'members too many'),
    ('basic_credentials', '{"Username": "u", "password": []}',
                          E'- (root): username is required\n- (root): Additional property Username '
                           'is not allowed\n'
                          '- password: Invalid type. Expected: string, given: array\n',
     'all kinds of faults'),
    ('basic_credentials', '[]', E'- (root): Invalid type. Expected: object, given: array\n',
     'a list'),
    ('basic_credentials', 'u:p', 'Invalid json', 'no JSON'),

    ('database_credentials',
     '{"engine": "postgres", "username": "u", "password": "p", "host": "h", "dbname": "d", '
     '"port": "5432"}',
     'fine', 'all members'),
    ('database_credentials',
     '{"engine": "mysql", "username": "u", "password": "p", "host": "h", "dbname": "d", "port": '
     '"0"}', 'fine',
     'mysql, port 0'),
    ('database_credentials',
     '{"engine": "other", "username": "u", "password": "p", "host": "h", "dbname": "d", "port": '
     '"65535"}',
     'fine', 'other, port 65535'),
    ('database_credentials',
     '{"engine": "other", "username": "u", "password": "p", "host": "h", "dbname": "d", "port": '
     '"65536"}',
                             E'- port: Must be less than or equal to 65535\n', 'port 65536'),
    ('database_credentials',
     '{"engine": "other", "username": "u", "password": "p", "host": "h", "dbname": "d", "port": '
     '"100000"}',
                             E'- port: Must be less than or equal to 65535\n', 'port 100000'),
    ('database_credentials',
     '{"engine": "other", "username": "u", "password": "p", "host": "h", "dbname": "d", "port": '
     '5432}',
                             E'- port: Invalid type. Expected: string, given: integer\n',
     'a port that is a number'),
    ('database_credentials',
     '{"engine": "Oracle", "username": "u", "password": "p", "host": "h", "dbname": "d", "port": '
     '"x1"}',
                             E'- engine: engine must be one of the following: "postgres", "mysql", '
                              '"other"\n- port: Does not match pattern ''^[0-9]+$''\n',
                             'another engine, and no port'),
    ('database_credentials',
     '{"engine": "other", "username": "u", "password": "p", "host": "h", "dbname": "d", "port": '
     '""}',
                             E'- port: Does not match pattern ''^[0-9]+$''\n', 'an empty port'),
    ('database_credentials', '{"port": "-1"}',
                             E'- (root): engine is required\n- (root): username is required\n- '
                              '(root): password is required\n- (root): host is required\n'
                             '- (root): dbname is required\n- port: Does not match pattern '
                             '''^[0-9]+$''\n',
     'a port alone, which is none'),

    ('ssh_key', '{"ssh_private_key": "k"}', 'fine', 'its member'),
    ('ssh_key', '{"ssh_private_key": "k", "comment": "c"}',
     E'- (root): Additional property comment is not allowed\n', 'one more'),
    ('ssh_key', '{}', E'- (root): ssh_private_key is required\n', 'none')
  ) AS t(type, data, expected, title);

SELECT is(rule.payload_check('key_value', '\x7b2261223a2022ff227d'), 'Invalid json',
          'key_value, bytes that are not UTF-8');
SELECT is(rule.payload_check('key_value', '\x7b226100223a317d'), 'Invalid json',
          'key_value, a zero byte');
SELECT is(rule.payload_check('certificate', '\xff'), 'Invalid certificate',
          'certificate, bytes that are not UTF-8');
SELECT is(rule.payload_check('opaque', '\xff00'), NULL, 'opaque, any bytes');

SELECT is_empty($$SELECT type FROM rule.argument_form f, unnest(f.choices) AS type
                   WHERE f.argument = 'type' AND type NOT IN ('unknown_type', 'opaque')
                     AND rule.payload_check(type, 'x') IS NULL$$,
                'every type but opaque asks something of its payloads');
SELECT is(raised($$SELECT rule.payload_require_type('ssh_key', '{}')$$),
          'SM400 400 {"details":[{"argument_name":"data","help_message":"- (root): ssh_private_key '
          'is required\n","reason":"format"}],'
          '"message":"invalid argument(s)","type":"invalid_arguments"}',
          'which is what a client is told (SM400)');

-- PEM -----------------------------------------------------------------------------------

SELECT E'-----BEGIN CERTIFICATE-----\n'
       'MIIBczCCARmgAwIBAgIUXXXXXXXXXXXXXXXXXXXXXXXXXXXwCgYIKoZIzj0EAwIw\n'
       'DzENMAsGA1UEAwwEdGVzdDA=\n'
       '-----END CERTIFICATE-----\n' AS pem \gset

SELECT is(rule.payload_is_pem(text), expected, 'PEM: ' || title)
  FROM (VALUES
    (:'pem'::text, true, 'a block'),
    (:'pem' || :'pem', true, 'two blocks'),
    (:'pem' || replace(:'pem', 'CERTIFICATE', 'EC PRIVATE KEY'), true,
     'blocks with different labels'),
    (rtrim(:'pem', E'\n'), true, 'no newline at the end'),
    (replace(:'pem', E'\n', E'\r\n'), true, 'lines of Windows'),
    (E'subject=CN = test\n' || :'pem' || E'\nissuer=CN = test\n' || :'pem' || 'the end', true,
     'text around and between'),
    (replace(:'pem', E'CERTIFICATE-----\nMII',
             E'CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMII'), true,
                 'headers'),
    (regexp_replace(:'pem', 'E-----\n.*\n-----E', E'E-----\nAAAA\n-----E'), true, 'full groups'),
    (regexp_replace(:'pem', 'E-----\n.*\n-----E', E'E-----\nAA==\n-----E'), true,
     'two padding characters'),
    (E'-----BEGIN X509 2345678 ABCDEFGHIJKLMNOPQRSTUVWXYZ-----\n'
     'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\n'
     '-----END X509 2345678 ABCDEFGHIJKLMNOPQRSTUVWXYZ-----', true,
         'all that labels and base64 are made of'),
    ('', false, 'nothing'),
    ('MIIBczCCARmg', false, 'base64 alone'),
    (replace(:'pem', '-----END CERTIFICATE-----', ''), false, 'no end'),
    (replace(:'pem', '-----BEGIN CERTIFICATE-----', ''), false, 'no beginning'),
    (replace(:'pem', 'END CERTIFICATE', 'END KEY'), false, 'another label at the end'),
    (replace(:'pem', 'END CERTIFICATE', 'END CERTIFICATES'), false, 'a longer label at the end'),
    (replace(:'pem', 'MII', 'M!I'), false, 'a character that is not base64'),
    (replace(:'pem', 'MII', 'MI'), false, 'a group that is not full'),
    (replace(:'pem', 'MII', 'M=I'), false, 'padding in the middle'),
    (replace(:'pem', 'DA=', 'DA=='), false, 'padding too much'),
    (replace(:'pem', 'DA=', 'D==='), false, 'padding for nothing'),
    (regexp_replace(:'pem', 'E-----\n.*\n-----E', E'E-----\n-----E'), false, 'an empty block'),
    (replace(:'pem', '-----BEGIN', '----BEGIN'), false, 'a dash less'),
    (replace(:'pem', 'CERTIFICATE', 'certificate'), false, 'a label in small letters'),
    (:'pem' || replace(:'pem', 'MII', 'M!I'), false, 'a good block and a bad one'),
    (replace(:'pem', 'MII', 'M!I') || :'pem', false, 'a bad block and a good one'),
    (:'pem' || '-----BEGIN ', false, 'a beginning of nothing')
  ) AS t(text, expected, title);

-- A regular expression can take for ever over what just fails to match. Of these, each as long as a
-- payload may be, all together take a small part of the time that PostgreSQL gives to one call.
SET LOCAL statement_timeout = '5s';
SELECT is(rule.payload_is_pem(text), expected, 'PEM, as long as may be: ' || title)
  FROM (VALUES
    (E'-----BEGIN X-----\n' || repeat(E'AAAA\n', 13000) || '-----END X-----', true, 'a block'),
    (E'-----BEGIN X-----\n' || repeat(E'AAAA\n', 13000), false, 'no end'),
    (E'-----BEGIN X-----\n' || repeat(E'A ', 32000) || '!-----END X-----', false,
     'a bad character at the end'),
    (E'-----BEGIN X-----\n' || repeat(' ', 65000) || '!-----END X-----', false, 'blanks'),
    (E'-----BEGIN X-----\n' || repeat(E'A:\n', 21000) || '!-----END X-----', false, 'headers'),
    (E'-----BEGIN X-----\n' || repeat('A', 65000) || '!-----END X-----', false, 'one line'),
    ('-----BEGIN ' || repeat('A', 65000) || E'-----\nAAAA\n-----END X-----', false, 'a label'),
    ('-----BEGIN ' || repeat('A', 30000) || E'-----\n' || repeat('AAAA', 7000)
     || '-----END ' || repeat('A', 7000) || '-----', false, 'labels at both ends'),
    (repeat('-----BEGIN ' || repeat('A', 64) || E'-----\nAAAA\n-----END ' || repeat('A', 63)
            || E'-----\n', 400), false,
     'many labels'),
    (repeat('-----BEGIN ', 5900), false, 'beginnings')
  ) AS t(text, expected, title);
RESET statement_timeout;

-- Checksums and encoding -------------------------------------------------------------------

SELECT is(rule.payload_checksum(data), expected, format('the CRC-32 of %s', data))
  FROM (VALUES ('123456789'::bytea, x'CBF43926'::bigint), ('', 0), ('\x00', 3523407757),
               ('\xffffffff', 4294967295),
               ('The quick brown fox jumps over the lazy dog', x'414FA339'::bigint)) AS t(data,
                   expected);

SELECT results_eq(format($$SELECT rule.payload_data(f), rule.payload_crc32(f)
                             FROM rule.payload_encode(%L, %L) AS f$$, data, crc32),
                  format($$VALUES (%L::bytea, %L::bigint)$$, data, crc32),
                  format('an encoded payload gives back data %s and checksum %s', data, crc32))
  FROM (VALUES ('value'::bytea, NULL::bigint), ('value', 0), ('value', 4294967295),
        ('value', 16909060),
               ('\x0100000000', NULL), ('', 1)) AS t(data, crc32);
SELECT is(rule.payload_encode('value', 16909060), '\x0101020304'::bytea || 'value'::bytea,
          'an encoded payload with a checksum: 01, checksum, data');
SELECT is(rule.payload_encode('value', NULL), '\x00'::bytea || 'value'::bytea,
          'an encoded payload without: 00, data');

SELECT finish();
ROLLBACK;
