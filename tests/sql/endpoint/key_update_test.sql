-- PATCH /keys/{key_id}
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- Allowed ----------------------------------------------------------------------

SELECT backdate_key('live');
SELECT status, text FROM call_key('key_update', 'live', caller => 'only key write', body => '{
    "name": "renamed", "tags": ["b", "a"], "description": "what for",
    "rotation_policy": {"rotation_period": "86400s",
    "next_rotation_at": "2999-01-01T00:00:00Z"}}') \gset
SELECT is(:status, 200, 'key_update answers 200');
SELECT is(audited(), 'key_update 200 by only key write on live in main', 'it is audited');
SELECT is(:'text', (call_key('key_get', 'live')).text, 'the answer is the key');
SELECT is(:'text'::jsonb
              @> '{"name": "renamed", "tags": ["b", "a"], "description": "what for",
                   "rotation_count": 1, "rotated_at": "2001-02-03T04:05:06.789000Z",
                   "created_at": "2001-02-03T04:05:06.789000Z",
                   "rotation_policy": {"rotation_period": "86400s",
                   "next_rotation_at": "2999-01-01T00:00:00.000000Z"}}', true,
          'changed as asked');
SELECT cmp_ok((stored_key('live')).updated_at, '>', long_ago(), 'and updated now');
SELECT is((call_key('key_update', 'live',
                    '{"tags": null, "name": null, "rotation_policy": null, "unheard_of": 1}')).body
          - 'updated_at', :'text'::jsonb - 'updated_at',
          'key_update leaves what is absent, null or unknown');
SELECT is((call_key('key_update', 'live',
                    '{"tags": [], "description": "", "usage": {}, "unprotected": false}')).body
                        - 'updated_at',
          :'text'::jsonb - 'updated_at' || '{"tags": [], "description": ""}',
          'key_update clears tags and description, and has no way to change usage or protection');
SELECT is((call_key('key_update', 'live',
                    '{"rotation_policy": {"rotation_period": "172800s"}}')).body
                        #>> '{rotation_policy,rotation_period}',
          '172800s', 'key_update replaces a policy');
SELECT is((stored_key('live')).next_rotation_at < clock_timestamp() + interval '2 days', true,
          'as a whole: the next rotation is one period from now');
SELECT is((call_key('key_update', 'live', '{"rotation_policy": {}}')).body -> 'rotation_policy',
          'null', 'key_update removes a policy for one without members');

-- Refused ----------------------------------------------------------------------

SELECT refuses_key('key_update',
                   '400 invalid_arguments name constraint, description format, tags format, '
                   'rotation_policy format', 'arguments that are wrong, all together', 'live',
                   body => '{"name": "", "description": 7, "tags": "a", '
                           '"rotation_policy": "86400s"}');
SELECT follows_state('key_update', '200', '200', '412 precondition_failed resource_not_usable');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged_key('key_update', 'write');

SELECT finish();
ROLLBACK;
