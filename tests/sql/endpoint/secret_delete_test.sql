-- DELETE /secrets/{secret_id}
BEGIN;
\ir ../setup.sql

-- Allowed ----------------------------------------------------------------------

SELECT make_version('ready'), given('secret_version_disable', 'ready', '2'), make_version('ready'),
       given('secret_version_delete', 'ready', '3'), backdate('ready');
SELECT results_eq($$SELECT status, text
                      FROM call('secret_delete', 'ready', caller => 'only delete')$$,
                  $$VALUES (204, NULL)$$, 'secret_delete answers 204 without a body');
SELECT is(audited(), 'secret_delete 204 by only delete on ready in main', 'it is audited');
SELECT is((stored('ready')).deletion_requested_at, (stored('ready')).updated_at,
          'it schedules the secret, which is a change of it');
SELECT cmp_ok((stored('ready')).updated_at, '>', long_ago(), 'at the time of the call');
SELECT results_eq($$SELECT status, status_to_restore,
                           deletion_requested_at = (stored('ready')).deletion_requested_at,
                           updated_at = long_ago()
                      FROM store.version WHERE secret_id = secret('ready')::uuid
                     ORDER BY revision$$,
                  $$VALUES ('scheduled_for_deletion', 'enabled', true, true),
                           ('scheduled_for_deletion', 'disabled', true, true),
                           ('scheduled_for_deletion', 'enabled', false, true)$$,
                  'its versions are scheduled with it, remember what they were, and count as '
                  'unchanged');
SELECT is((call('secret_get',
                'ready')).body
                    - '{id,srn,project_id,name,created_at,updated_at,'
                      'deletion_requested_at}'::text[],
          '{"status": "ready", "tags": [], "version_count": 3, "description": "", "managed": false,
            "type": "opaque", "protected": false, "path": "/", "ephemeral_policy": null,
            "used_by": [], "key_id": null, "region": "fr-par"}',
          'it can still be seen, ready and with all its versions');

SELECT make_secret('ephemeral',
                   '{"ephemeral_policy": {"time_to_live": "60s", "action": "disable"}}'),
       make_version('ephemeral');
SELECT is((call('secret_delete', 'ephemeral')).status, 204,
          'secret_delete of a secret with an ephemeral policy');
SELECT is_empty($$SELECT FROM store.secret WHERE id = secret('ephemeral')::uuid
                  UNION ALL SELECT FROM store.version WHERE secret_id = secret('ephemeral')::uuid
                  UNION ALL SELECT FROM store.dek WHERE secret_id = secret('ephemeral')::uuid$$,
                'removes it at once with its versions and their keys');
SELECT is(brief(call('secret_get', 'ephemeral')), '404 not_found secret',
          'and it is not there any more');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_delete', '412 precondition_failed protected_resource', 'a protected secret',
               'protected');
SELECT is((call('secret_delete', 'protected')).text,
          '{"help_message":"cannot delete a protected secret",'
          '"message":"precondition is not respected",'
          '"precondition":"protected_resource","type":"precondition_failed"}',
          'in words that clients know');
SELECT refuses('secret_delete', '412 precondition_failed resource_not_usable',
               'a secret that is scheduled already', 'scheduled');
SELECT refuses('secret_delete', '423 locked secret', 'a locked secret', 'locked');
SELECT refuses('secret_delete', '403 permissions_denied delete secret', 'a managed secret',
               'managed');

-- Unprivileged -----------------------------------------------------------------

SELECT make_secret('ready');
SELECT refuses_unprivileged('secret_delete', 'delete secret');

SELECT finish();
ROLLBACK;
