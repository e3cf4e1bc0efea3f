-- Sealing and opening.
BEGIN;
\ir ../raised.sql

-- The vector of RFC 7518, appendix B.3 ------------------------------------------------

CREATE TEMP TABLE vector AS
SELECT decode('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'
              '202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f', 'hex') AS key,
       'A cipher system must not be required to be secret, and it must be able to fall into the '
       'hands of the enemy without inconvenience'::bytea AS plain,
       '\x1af38c2dc2b96ffdd86694092341bc04'::bytea AS iv,
       'The second principle of Auguste Kerckhoffs'::bytea AS aad,
       decode('4affaaadb78c31c5da4b1b590d10ffbd3dd8d5d302423526912da037ecbcc7bd822c301dd67c373bccb'
              '584ad3e9279c2'
              'e6d12a1374b77f077553df829410446b36ebd97066296ae6427ea75c2e0846a11a09ccf5370dc80bfec'
              'bad28c73f09b3'
              'a3b75e662a2594410ae496b2e2e6609e31e6e02cc837f053d21f37ff4f51950bbe2638d09dd7a493093'
              '0806d0703b1f6',
              'hex') AS cipher,
       '\x4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5'::bytea AS tag;

SELECT is(rule.crypto_encrypt(key, aad, plain, iv), '\x01'::bytea || iv || cipher || tag,
          'rule.crypto_encrypt gives what RFC 7518 says') FROM vector;
SELECT is(rule.crypto_decrypt(key, aad, '\x01'::bytea || iv || cipher || tag), plain,
          'rule.crypto_decrypt takes what RFC 7518 gives') FROM vector;

-- What is sealed opens -----------------------------------------------------------------

-- A place: project, secret, revision and, unless it is a payload's, key-encryption key.
CREATE FUNCTION test.place(kind text DEFAULT 'pay', project integer DEFAULT 1,
                           secret integer DEFAULT 2,
                           revision integer DEFAULT 3, kek integer DEFAULT NULL)
RETURNS bytea LANGUAGE sql AS $$
    SELECT rule.crypto_aad(kind, lpad(project::text, 32, '0')::uuid,
                           lpad(secret::text, 32, '0')::uuid, revision,
                    lpad(kek::text, 32, '0')::uuid)
$$;

CREATE TEMP TABLE it AS
SELECT key, place() AS aad, rule.crypto_encrypt(key, place(), 'secret') AS sealed,
       rule.crypto_encrypt(key, place(), 'other') AS other FROM vector;

SELECT is_empty($$SELECT length FROM it, generate_series(0, 80) AS length,
                         LATERAL convert_to(repeat('x', length), 'UTF8') AS plain
                   WHERE rule.crypto_decrypt(key, aad, rule.crypto_encrypt(key, aad, plain))
                         <> plain$$,
                'every length opens to itself');
SELECT is_empty($$SELECT length FROM it, unnest('{0,15,16,17,65541}'::integer[]) AS length
                   WHERE octet_length(rule.crypto_encrypt(key, aad,
                                                convert_to(repeat('x', length),
                                                           'UTF8'))) <> 49
                                                               + 16 * (length / 16 + 1)$$,
                'a sealed value has the length that it should');
SELECT isnt(rule.crypto_encrypt(key, aad, 'x'), rule.crypto_encrypt(key, aad, 'x'),
            'the same value is sealed anew each time')
  FROM it;
SELECT is(octet_length(rule.crypto_dek()), 64, 'a data-encryption key has 64 bytes');
SELECT isnt(rule.crypto_dek(), rule.crypto_dek(), 'and is a new one each time');

-- What is not as it was sealed does not open ---------------------------------------------

-- What an attempt to open a value comes to.
CREATE FUNCTION test.opened(key bytea, aad bytea, sealed bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN 'opened: ' || encode(rule.crypto_decrypt(key, aad, sealed), 'escape');
EXCEPTION
    WHEN OTHERS THEN
        RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;

CREATE TEMP TABLE attempt (title text, result text);
INSERT INTO attempt
SELECT format('bit %s is flipped', bit),
       opened(key, aad, set_bit(sealed, bit, 1 - get_bit(sealed, bit)))
  FROM it, generate_series(0, 8 * octet_length(sealed) - 1) AS bit;
INSERT INTO attempt
SELECT format('%s bytes are left', length), opened(key, aad, substr(sealed, 1, length))
  FROM it, generate_series(0, octet_length(sealed) - 1) AS length;
INSERT INTO attempt
SELECT format('%s bytes are cut off its beginning', length),
       opened(key, aad, substr(sealed, length + 1))
  FROM it, generate_series(1, octet_length(sealed)) AS length;
INSERT INTO attempt
SELECT format('%s bytes are added', length),
       opened(key, aad, sealed || convert_to(repeat('x', length), 'UTF8'))
  FROM it, unnest('{1,15,16,32}'::integer[]) AS length;
INSERT INTO attempt
SELECT t.title, opened(key, aad, t.sealed)
  FROM it, LATERAL (VALUES ('the tag is that of another',
                            substr(sealed, 1, 33) || substr(other, 34)),
                           ('the IV is that of another',
                            '\x01'::bytea || substr(other, 2, 16) || substr(sealed, 18)),
                           ('IV and block are swapped',
                            '\x01'::bytea || substr(sealed, 18, 16) || substr(sealed, 2, 16)
                                || substr(sealed, 34)),
                           ('there is none', NULL)) AS t(title, sealed);
INSERT INTO attempt
SELECT t.title, opened(t.key, aad, sealed)
  FROM it, LATERAL (VALUES ('there is no key', NULL),
                           ('the key is empty', ''),
                           ('the key has 32 bytes', substr(key, 1, 32)),
                           ('the key has 63 bytes', substr(key, 1, 63)),
                           ('the key has 65 bytes', key || '\x00'::bytea),
                           ('the halves of the key are swapped',
                            substr(key, 33) || substr(key, 1, 32)),
                           ('the key is another', set_bit(key, 0, 1 - get_bit(key, 0)))) AS t(title,
                               key);
INSERT INTO attempt
SELECT t.title, opened(key, t.aad, sealed)
  FROM it, LATERAL (VALUES ('it is of another kind', place(kind => 'dek')),
                           ('it is of another project', place(project => 9)),
                           ('it is of another secret', place(secret => 9)),
                           ('it is of another revision', place(revision => 4)),
                           ('it is of a key-encryption key', place(kek => 9)),
                           ('project and secret are swapped', place(project => 2, secret => 1)),
                           ('its secret is not known', place(secret => NULL)),
                           ('it has no place', NULL),
                           ('its place is empty', '')) AS t(title, aad);

SELECT is(opened(key, aad, sealed), 'opened: secret', 'a value opens with its key, in its place')
  FROM it;
SELECT is(count(*), 520::bigint, 'it does not when any bit of it is flipped,') FROM attempt
 WHERE title LIKE 'bit%';
SELECT is_empty($$SELECT title, result FROM attempt WHERE result <> 'SM101 integrity failure'$$,
                'or it is cut, is longer, or is of another place, or the key is wrong: all fail '
                'alike (SM101)');

SELECT is(raised(format('SELECT rule.crypto_encrypt(%L, %L, %L, %L)', t.key, t.aad, t.plain, t.iv)),
          'SM101 500 {"message":"internal error","type":"internal"}',
          'rule.crypto_encrypt refuses ' || title || ' (SM101)')
  FROM vector AS v, LATERAL (VALUES ('no key', NULL, v.aad, v.plain, v.iv),
                                    ('a short key', substr(v.key, 1, 63), v.aad, v.plain, v.iv),
                                    ('a long key', v.key || '\x00'::bytea, v.aad, v.plain, v.iv),
                                    ('no associated data', v.key, NULL, v.plain, v.iv),
                                    ('no value', v.key, v.aad, NULL, v.iv),
                                    ('no IV', v.key, v.aad, v.plain, NULL),
                                    ('a short IV', v.key, v.aad, v.plain, substr(v.iv, 1, 15)),
                                    ('a long IV', v.key, v.aad, v.plain, v.iv || '\x00'::bytea))
                                        AS t(title, key, aad, plain, iv);

-- Associated data --------------------------------------------------------------------------

SELECT is(rule.crypto_aad('dek', '00112233-4455-6677-8899-aabbccddeeff',
                          '0f0e0d0c-0b0a-0908-0706-050403020100', 258,
                   'ffffffff-eeee-dddd-cccc-bbbbaaaa9999'),
          '\x01'::bytea || 'coffer1' || '\x00' || 'dek' || '\x00'
              || '\x00112233445566778899aabbccddeeff'
          || '\x0f0e0d0c0b0a09080706050403020100' || '\x0000000000000102'
              || '\xffffffffeeeeddddccccbbbbaaaa9999',
          'rule.crypto_aad is algorithm, label, kind, project, secret, revision and '
          'key-encryption key, in fixed widths');
SELECT is(rule.crypto_aad('pay', '00112233-4455-6677-8899-aabbccddeeff',
                          '0f0e0d0c-0b0a-0908-0706-050403020100', 1,
                   NULL),
          rule.crypto_aad('pay', '00112233-4455-6677-8899-aabbccddeeff',
                          '0f0e0d0c-0b0a-0908-0706-050403020100', 1,
                   '00000000-0000-0000-0000-000000000000'),
          'zero stands for the key-encryption key in the associated data of a payload');

SELECT finish();
ROLLBACK;
