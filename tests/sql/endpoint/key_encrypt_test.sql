-- POST /keys/{key_id}/encrypt
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- Allowed ----------------------------------------------------------------------

SELECT backdate_key('live');
SELECT status, text
  FROM call_key('key_encrypt', 'live', caller => 'only key encrypt',
                extra => cut('plaintext', 5) || cut('associated_data', 5)) \gset
SELECT is(:status, 200, 'key_encrypt answers 200');
SELECT is(audited(), 'key_encrypt 200 by only key encrypt on live in main', 'it is audited');
SELECT is(:'text', format('{"key_id":"%s","ciphertext":"Y2lwaGVy"}', secret('live')),
          'with the ciphertext of the daemon');
SELECT is((stored_key('live')).updated_at, long_ago(), 'the key is as it was');
SELECT is((SELECT e.request - 'snapshot' FROM audit.event e ORDER BY e.id DESC LIMIT 1),
          jsonb_build_object('path', jsonb_build_object('key_id', secret('live'))),
          'and nothing of the values is in the audit');

-- Rounds -----------------------------------------------------------------------

SELECT given_key('key_rotate', 'live');
SELECT max(id::text) FILTER (WHERE rotation = 1) AS old,
       max(id::text) FILTER (WHERE rotation = 2) AS new
  FROM store.kek WHERE key_id = secret('live')::uuid \gset
SELECT at_key('live', cut('plaintext', 5)) AS at \gset
SELECT is((api_call('key_encrypt', request(extra => :'at'), 'keeper')).text,
          format('{"need":"cipher","key_id":"%s","project_id":"%s","keys":['
                 '{"rotation":2,"kek_id":"%s","root_id":"0123456789abcdef","wrapped":"%s"}]}',
                 secret('live'), project('main'), :'new', repeat('A', 80)),
          'key_encrypt gives the daemon the newest rotation (SM001)');
SELECT is((api_call('key_encrypt',
                 request(extra => :'at'::jsonb || jsonb_build_object('cipher', jsonb_build_object(
                     'kek_id', kek_id, 'rotation', rotation, 'sound', true, 'ciphertext', 'eA=='))),
                 'keeper')).body ->> 'need',
          need, title)
  FROM (VALUES ('and takes what was done with it', :'new', 2, NULL),
               ('but not what was done with one that is no more the newest', :'old', 1, 'cipher'),
               ('or says so', :'new', 1, 'cipher'),
               ('or is not of this key', gen_random_uuid()::text, 2, 'cipher')
       ) AS t(title, kek_id, rotation, need);

-- Refused ----------------------------------------------------------------------

SELECT refuses_key('key_encrypt', '400 invalid_arguments ' || expected, title, 'live',
                   extra => said)
  FROM (VALUES ('no plaintext', '{}'::jsonb, 'plaintext required'),
               ('an empty plaintext', cut('plaintext', 0), 'plaintext required'),
               ('a plaintext that is too long', cut('plaintext', 65536), 'plaintext constraint'),
               ('what is no base64',
                '{"plaintext": {"state": "invalid", "size": 0}, '
                '"associated_data": {"state": "invalid", "size": 0}}',
                'plaintext format, associated_data format')) AS t(title, said, expected);
SELECT follows_state('key_encrypt', '200', '412 precondition_failed resource_not_usable',
                     '412 precondition_failed resource_not_usable', cut('plaintext', 5));
SELECT is((call_key('key_encrypt', 'disabled', extra => cut('plaintext', 5))).text,
          format('{"help_message":"key %s is in an invalid state",'
                 '"message":"precondition is not respected",'
                 '"precondition":"resource_not_usable","type":"precondition_failed"}',
                 secret('disabled')),
          'in words that clients know');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged_key('key_encrypt', 'encrypt', cut('plaintext', 5));

SELECT finish();
ROLLBACK;
