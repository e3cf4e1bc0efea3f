-- POST /keys/{key_id}/enable
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- Allowed ----------------------------------------------------------------------

SELECT backdate_key('disabled');
SELECT status, text FROM call_key('key_enable', 'disabled', caller => 'only key write') \gset
SELECT is(:status, 200, 'key_enable answers 200');
SELECT is(audited(), 'key_enable 200 by only key write on disabled in main', 'it is audited');
SELECT is(:'text', (call_key('key_get', 'disabled')).text, 'the answer is the key');
SELECT is(:'text'::jsonb ->> 'state', 'enabled', 'the key is enabled');
SELECT cmp_ok((stored_key('disabled')).updated_at, '>', long_ago(), 'which is a change of it');
SELECT is((call_key('key_enable', 'disabled')).text, :'text',
          'key_enable can be repeated, and changes nothing then');

-- Refused ----------------------------------------------------------------------

SELECT follows_state('key_enable', '200', '200', '412 precondition_failed resource_not_usable');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged_key('key_enable', 'write');

SELECT finish();
ROLLBACK;
