-- POST /keys/{key_id}/decrypt
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- Allowed ----------------------------------------------------------------------

SELECT backdate_key('live');
SELECT status, text
  FROM call_key('key_decrypt', 'live', caller => 'only key decrypt',
                extra => cut('ciphertext', 38, '{"rotation": 1}')
                    || cut('associated_data', 5)) \gset
SELECT is(:status, 200, 'key_decrypt answers 200');
SELECT is(audited(), 'key_decrypt 200 by only key decrypt on live in main', 'it is audited');
SELECT is(:'text', format('{"key_id":"%s","plaintext":null,"ciphertext":null}', secret('live')),
          'with a place for the plaintext');
SELECT is((SELECT e.request - 'snapshot' FROM audit.event e ORDER BY e.id DESC LIMIT 1),
          jsonb_build_object('path', jsonb_build_object('key_id', secret('live'))),
          'and nothing of the values is in the audit');

-- Rounds -----------------------------------------------------------------------

SELECT given_key('key_rotate', 'live');
SELECT max(id::text) FILTER (WHERE rotation = 1) AS old,
       max(id::text) FILTER (WHERE rotation = 2) AS new
  FROM store.kek WHERE key_id = secret('live')::uuid \gset
SELECT at_key('live', cut('ciphertext', 38, '{"rotation": 1}')) AS at \gset
SELECT is((api_call('key_decrypt', request(extra => :'at'), 'keeper')).text,
          format('{"need":"cipher","key_id":"%s","project_id":"%s","keys":['
                 '{"rotation":2,"kek_id":"%s","root_id":"0123456789abcdef","wrapped":"%s"},'
                 '{"rotation":1,"kek_id":"%s","root_id":"0123456789abcdef","wrapped":"%s"}]}',
                 secret('live'), project('main'), :'new', repeat('A', 80),
                 :'old', repeat('A', 80)),
          'key_decrypt gives the daemon the newest rotation, and the one that was used (SM001)');
SELECT is((api_call('key_decrypt',
                 request(extra => :'at'::jsonb || jsonb_build_object('cipher', jsonb_build_object(
                     'kek_id', kek_id, 'rotation', rotation, 'sound', true, 'ciphertext', 'eA=='))),
                 'keeper')).body ->> 'need',
          need, title)
  FROM (VALUES ('and takes what was done with it', :'new', 2, NULL),
               ('but not what was done with one that is no more the newest', :'old', 1, 'cipher'),
               ('or says so', :'new', 1, 'cipher'),
               ('or is not of this key', gen_random_uuid()::text, 2, 'cipher')
       ) AS t(title, kek_id, rotation, need);
SELECT is((call_key('key_decrypt', 'live', extra => cut('ciphertext', 38, '{"rotation": 1}'))).body
              ->> 'ciphertext', 'Y2lwaGVy',
          'what an older rotation was used for is encrypted anew');
SELECT is((call_key('key_decrypt', 'live', extra => cut('ciphertext', 38, '{"rotation": 2}'))).body
              -> 'ciphertext', 'null', 'and nothing else');

-- Refused ----------------------------------------------------------------------

SELECT is((call_key('key_decrypt', 'live',
                    extra => cut('ciphertext', 38, '{"rotation": 2}') || '{"unsound": true}')).text,
          '{"details":[{"argument_name":"ciphertext",'
          '"help_message":"cipher: message authentication failed","reason":"constraint"}],'
          '"message":"invalid argument(s)","type":"invalid_arguments"}',
          'what does not open is refused in these words');
SELECT refuses_key('key_decrypt', '400 invalid_arguments ' || expected, title, 'live',
                   extra => said)
  FROM (VALUES ('no ciphertext', '{}'::jsonb, 'ciphertext required'),
               ('an empty ciphertext', cut('ciphertext', 0), 'ciphertext required'),
               ('a ciphertext that is too long', cut('ciphertext', 131072),
                'ciphertext constraint'),
               ('what is no base64',
                '{"ciphertext": {"state": "invalid", "size": 0}, '
                '"associated_data": {"state": "invalid", "size": 0}}',
                'ciphertext format, associated_data format'),
               ('a ciphertext that does not open',
                cut('ciphertext', 38, '{"rotation": 2}') || '{"unsound": true}',
                'ciphertext constraint'),
               ('an older one that does not',
                cut('ciphertext', 38, '{"rotation": 1}') || '{"unsound": true}',
                'ciphertext constraint'),
               ('a ciphertext of another form', cut('ciphertext', 5, '{"rotation": null}'),
                'ciphertext constraint'),
               ('a rotation that there is not yet', cut('ciphertext', 38, '{"rotation": 3}'),
                'ciphertext constraint'),
               ('a rotation that there can never be', cut('ciphertext', 38, '{"rotation": 0}'),
                'ciphertext constraint'),
               ('the highest that can be written',
                cut('ciphertext', 38, '{"rotation": 4294967295}'), 'ciphertext constraint'))
                    AS t(title, said, expected);
SELECT follows_state('key_decrypt', '200', '412 precondition_failed resource_not_usable',
                     '412 precondition_failed resource_not_usable',
                     cut('ciphertext', 38, '{"rotation": 1}'));
SELECT refuses_key('key_decrypt', '412 precondition_failed resource_not_usable',
                   'a ciphertext of another form, by the state of the key first', 'disabled',
                   extra => cut('ciphertext', 5, '{"rotation": null}'));

-- Tampered with -----------------------------------------------------------------

CREATE FUNCTION test.closed(kek_id text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('cipher',
                              jsonb_build_object('kek_id', kek_id, 'rotation', 2, 'opened', false))
$$;
SELECT is(brief(api_call('key_decrypt', request(extra => :'at'::jsonb || closed(:'new')),
                         'keeper')),
          '500 internal', 'a rotation that the daemon cannot open is refused (SM101)');
SELECT is((api_call('key_decrypt', request(extra => :'at'::jsonb || closed(:'old')), 'keeper')).body
              ->> 'need', 'cipher',
          'but not one that is no more the newest');
SELECT is(brief(api_call('key_decrypt',
                      request(extra => at_key('disabled', cut('ciphertext', 38, '{"rotation": 1}'))
                                  || closed(:'new')), 'keeper')),
          '412 precondition_failed resource_not_usable', 'by the state of the key first');

-- What an attempt comes to when a rotation is gone, which is then taken back.
CREATE FUNCTION test.decrypted_without(lost integer, named integer)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_said text;
BEGIN
    DELETE FROM store.kek k WHERE k.key_id = test.secret('live')::uuid AND k.rotation = lost;
    v_said := test.brief(test.call_key('key_decrypt', 'live',
                                       extra => test.cut('ciphertext', 38,
                                                         jsonb_build_object('rotation', named))))
              || ', ' || test.audited();
    RAISE EXCEPTION USING ERRCODE = 'TEST0';
EXCEPTION
    WHEN SQLSTATE 'TEST0' THEN
        RETURN v_said;
END
$$;
SELECT is(decrypted_without(lost, named),
          '500 internal, key_decrypt 500 internal by keeper on live in main',
          title || ' is refused (SM101)')
  FROM (VALUES (1, 1, 'a rotation that was taken away'), (2, 1, 'an older one, without the newest'),
               (2, 2, 'the newest, which was taken away')) AS t(lost, named, title);
SELECT is(decrypted_without(1, 2), '200, key_decrypt 200 by keeper on live in main',
          'the newest opens without an older one');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged_key('key_decrypt', 'decrypt', cut('ciphertext', 38, '{"rotation": 1}'));
SELECT refuses_key('key_decrypt', '403 permissions_denied decrypt key',
                   'a ciphertext of another form, by the right first', 'live',
                   caller => 'only key encrypt',
                   extra => cut('ciphertext', 5, '{"rotation": null}'));

SELECT finish();
ROLLBACK;
