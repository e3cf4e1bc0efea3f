-- POST /keys/{key_id}/unprotect
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- Allowed ----------------------------------------------------------------------

SELECT backdate_key('guarded');
SELECT status, text FROM call_key('key_unprotect', 'guarded', caller => 'only key write') \gset
SELECT is(:status, 200, 'key_unprotect answers 200');
SELECT is(audited(), 'key_unprotect 200 by only key write on guarded in main', 'it is audited');
SELECT is(:'text', (call_key('key_get', 'guarded')).text, 'the answer is the key');
SELECT is((stored_key('guarded')).protected, false, 'the key is changed');
SELECT is((stored_key('guarded')).updated_at, long_ago(), 'which is no change of it');
SELECT is((call_key('key_unprotect', 'guarded')).text, :'text', 'key_unprotect can be repeated');

-- Refused ----------------------------------------------------------------------

SELECT follows_state('key_unprotect', '200', '200', '412 precondition_failed resource_not_usable');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged_key('key_unprotect', 'write');

SELECT finish();
ROLLBACK;
