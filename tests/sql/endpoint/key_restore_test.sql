-- POST /keys/{key_id}/restore
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- Allowed ----------------------------------------------------------------------

SELECT backdate_key('doomed');
SELECT status, text FROM call_key('key_restore', 'doomed', caller => 'only key restore') \gset
SELECT is(:status, 200, 'key_restore answers 200');
SELECT is(audited(), 'key_restore 200 by only key restore on doomed in main', 'it is audited');
SELECT is(:'text', (call_key('key_get', 'doomed')).text, 'the answer is the key');
SELECT is((call_key('key_get', 'doomed')).body
              @> '{"state": "enabled", "deletion_requested_at": null}', true,
          'which is enabled again');
SELECT cmp_ok((stored_key('doomed')).updated_at, '>', long_ago(), 'which is a change of it');
SELECT given_key('key_delete', 'disabled'), given_key('key_restore', 'disabled');
SELECT is((call_key('key_get', 'disabled')).body ->> 'state', 'disabled',
          'a disabled key is disabled again');
SELECT given_key('key_delete', 'doomed');

-- Refused ----------------------------------------------------------------------

SELECT is((call_key('key_restore', 'live')).body ->> 'help_message',
          'key is not scheduled for deletion', 'key_restore says what is wrong');
SELECT follows_state('key_restore', '412 precondition_failed resource_not_usable',
                     '412 precondition_failed resource_not_usable', '200');

-- Unprivileged -----------------------------------------------------------------

SELECT given_key('key_delete', 'live');
SELECT refuses_unprivileged_key('key_restore', 'restore');

SELECT finish();
ROLLBACK;
