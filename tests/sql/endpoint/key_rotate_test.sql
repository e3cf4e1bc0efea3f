-- POST /keys/{key_id}/rotate
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- Allowed ----------------------------------------------------------------------

SELECT given_key('key_update', 'live',
                 '{"rotation_policy": {"rotation_period": "86400s", '
                 '"next_rotation_at": "2999-01-01T00:00:00Z"}}');
SELECT backdate_key('live');
SELECT status, text FROM call_key('key_rotate', 'live', caller => 'only key write') \gset
SELECT is(:status, 200, 'key_rotate answers 200');
SELECT is(audited(), 'key_rotate 200 by only key write on live in main', 'it is audited');
SELECT is(:'text', (call_key('key_get', 'live')).text, 'the answer is the key');
SELECT is(:'text'::jsonb @> '{"rotation_count": 2, "created_at": "2001-02-03T04:05:06.789000Z",
                              "rotation_policy": {"rotation_period": "86400s",
                              "next_rotation_at": "2999-01-01T00:00:00.000000Z"}}', true,
          'it has one rotation more, and the same policy');
SELECT is((stored_key('live')).rotated_at, (stored_key('live')).updated_at,
          'it is updated when it is rotated');
SELECT cmp_ok((stored_key('live')).rotated_at, '>', long_ago(), 'now');
SELECT results_eq($$SELECT rotation, active FROM store.kek WHERE key_id = secret('live')::uuid
                     ORDER BY rotation$$,
                  $$VALUES (1, false), (2, true)$$,
                  'the older rotation stays, and the newest is active');

-- Rounds
SELECT everything() AS before, at_key('live') AS at \gset
SELECT is((api_call('key_rotate', request(extra => :'at'), 'keeper')).text,
          format('{"need":"material","key_id":"%s","project_id":"%s","rotation":3,'
                 '"active_root_id":"0123456789abcdef"}', secret('live'), project('main')),
          'key_rotate asks for material (SM001)');
SELECT is((api_call('key_rotate',
                 request(extra => :'at'::jsonb || material(secret('disabled'), gen_random_uuid())),
                 'keeper')).body
          ->> 'need', 'material', 'and again when it is for another key');
SELECT is((api_call('key_rotate',
                 request(extra => :'at'::jsonb
                             || material(secret('live'), gen_random_uuid(), 'retired')),
                 'keeper')).body
          ->> 'need', 'material', 'or not under the active root key');
SELECT is((api_call('key_rotate',
                 request(extra => :'at'::jsonb
                             || material(secret('live'), gen_random_uuid(), rotation => '1')),
                 'keeper')).body
          ->> 'need', 'material', 'or wrapped for another rotation');
SELECT is(everything(), :'before', 'and nothing has happened');

-- Refused ----------------------------------------------------------------------

SELECT follows_state('key_rotate', '200', '200', '412 precondition_failed resource_not_usable');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged_key('key_rotate', 'write');

SELECT finish();
ROLLBACK;
