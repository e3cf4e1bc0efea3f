-- DELETE /keys/{key_id}
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- Allowed ----------------------------------------------------------------------

SELECT backdate_key('live');
SELECT results_eq($$SELECT status, text
                      FROM call_key('key_delete', 'live', caller => 'only key delete')$$,
                  $$VALUES (204, NULL)$$, 'key_delete answers 204 without a body');
SELECT is(audited(), 'key_delete 204 by only key delete on live in main', 'it is audited');
SELECT is((stored_key('live')).deletion_requested_at, (stored_key('live')).updated_at,
          'it schedules the key, which is a change of it');
SELECT cmp_ok((stored_key('live')).updated_at, '>', long_ago(), 'at the time of the call');
SELECT is((call_key('key_get', 'live')).body ->> 'state', 'scheduled_for_deletion',
          'and its state');
SELECT isnt_empty($$SELECT FROM store.kek WHERE key_id = secret('live')::uuid$$,
                  'its material is still there');

-- Refused ----------------------------------------------------------------------

SELECT refuses_key('key_delete', '412 precondition_failed protected_resource', 'a protected key',
                   'guarded');
SELECT is((call_key('key_delete', 'guarded')).text,
          '{"help_message":"cannot delete a protected key",'
          '"message":"precondition is not respected",'
          '"precondition":"protected_resource","type":"precondition_failed"}', 'in these words');
SELECT given_key('key_restore', 'live');
SELECT follows_state('key_delete', '204', '204', '412 precondition_failed resource_not_usable');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged_key('key_delete', 'delete');

SELECT finish();
ROLLBACK;
