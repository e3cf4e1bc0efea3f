-- POST /keys/{key_id}/disable
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- Allowed ----------------------------------------------------------------------

SELECT backdate_key('live');
SELECT status, text FROM call_key('key_disable', 'live', caller => 'only key write') \gset
SELECT is(:status, 200, 'key_disable answers 200');
SELECT is(audited(), 'key_disable 200 by only key write on live in main', 'it is audited');
SELECT is(:'text', (call_key('key_get', 'live')).text, 'the answer is the key');
SELECT is(:'text'::jsonb ->> 'state', 'disabled', 'the key is disabled');
SELECT cmp_ok((stored_key('live')).updated_at, '>', long_ago(), 'which is a change of it');
SELECT is((call_key('key_disable', 'live')).text, :'text',
          'key_disable can be repeated, and changes nothing then');

-- Refused ----------------------------------------------------------------------

SELECT follows_state('key_disable', '200', '200', '412 precondition_failed resource_not_usable');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged_key('key_disable', 'write');

SELECT finish();
ROLLBACK;
