-- POST /keys/{key_id}/generate-data-key
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- Allowed ----------------------------------------------------------------------

SELECT backdate_key('live');
SELECT status, text
  FROM call_key('key_generate_data_key', 'live', caller => 'only key encrypt') \gset
SELECT is(:status, 200, 'key_generate_data_key answers 200');
SELECT is(audited(), 'key_generate_data_key 200 by only key encrypt on live in main',
          'it is audited');
SELECT is((:'text'::jsonb ->> 'created_at')::timestamptz
              BETWEEN clock_timestamp() - interval '1 minute' AND clock_timestamp(),
          true, 'it is made now');
SELECT is(regexp_replace(:'text', '"created_at":"[^"]*"', '"created_at":"now"'),
          format('{"key_id":"%s","algorithm":"aes_256_gcm","ciphertext":"Y2lwaGVy",'
                 '"plaintext":null,"created_at":"now"}', secret('live')),
          'with the ciphertext of the daemon, and a place for the plaintext');
SELECT is((call_key('key_generate_data_key', 'live', body)).status, 200,
          format('key_generate_data_key takes %s', body))
  FROM (VALUES ('{"algorithm": "aes_256_gcm", "without_plaintext": true}'::jsonb),
               ('{"algorithm": "unknown_symmetric_encryption"}'),
               ('{"algorithm": null, "without_plaintext": null}')) AS t(body);
SELECT is((SELECT e.request -> 'body' FROM audit.event e ORDER BY e.id DESC LIMIT 1),
          '{"algorithm": null, "without_plaintext": null}', 'and the audit has it');

-- Rounds -----------------------------------------------------------------------

SELECT given_key('key_rotate', 'live');
SELECT max(id::text) FILTER (WHERE rotation = 1) AS old,
       max(id::text) FILTER (WHERE rotation = 2) AS new
  FROM store.kek WHERE key_id = secret('live')::uuid \gset
SELECT at_key('live') AS at \gset
SELECT is((api_call('key_generate_data_key', request(extra => :'at'), 'keeper')).text,
          format('{"need":"cipher","key_id":"%s","project_id":"%s","keys":['
                 '{"rotation":2,"kek_id":"%s","root_id":"0123456789abcdef","wrapped":"%s"}]}',
                 secret('live'), project('main'), :'new', repeat('A', 80)),
          'key_generate_data_key gives the daemon the newest rotation (SM001)');
SELECT is((api_call('key_generate_data_key',
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

SELECT refuses_key('key_generate_data_key',
                   '400 invalid_arguments algorithm format, without_plaintext format',
                   'wrong arguments', 'live',
                   body => '{"algorithm": "aes_128_gcm", "without_plaintext": "no"}');
SELECT follows_state('key_generate_data_key', '200', '412 precondition_failed resource_not_usable',
                     '412 precondition_failed resource_not_usable');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged_key('key_generate_data_key', 'encrypt');

SELECT finish();
ROLLBACK;
