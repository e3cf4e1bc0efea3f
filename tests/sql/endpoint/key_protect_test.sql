-- POST /keys/{key_id}/protect
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- Allowed ----------------------------------------------------------------------

SELECT backdate_key('live');
SELECT status, text FROM call_key('key_protect', 'live', caller => 'only key write') \gset
SELECT is(:status, 200, 'key_protect answers 200');
SELECT is(audited(), 'key_protect 200 by only key write on live in main', 'it is audited');
SELECT is(:'text', (call_key('key_get', 'live')).text, 'the answer is the key');
SELECT is((stored_key('live')).protected, true, 'the key is changed');
SELECT is((stored_key('live')).updated_at, long_ago(), 'which is no change of it');
SELECT is((call_key('key_protect', 'live')).text, :'text', 'key_protect can be repeated');

-- Refused ----------------------------------------------------------------------

SELECT follows_state('key_protect', '200', '200', '412 precondition_failed resource_not_usable');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged_key('key_protect', 'write');

SELECT finish();
ROLLBACK;
