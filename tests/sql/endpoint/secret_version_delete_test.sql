-- DELETE /secrets/{secret_id}/versions/{revision}
BEGIN;
\ir ../setup.sql

-- Allowed ----------------------------------------------------------------------

SELECT make_version('ready'), given('secret_version_disable', 'ready', '2'), backdate('ready');
SELECT results_eq($$SELECT status, text FROM call('secret_version_delete', 'ready', '1',
                                                  caller => 'only delete')$$,
                  $$VALUES (204, NULL)$$, 'secret_version_delete answers 204 without a body');
SELECT is(audited(), 'secret_version_delete 204 by only delete on ready/1 in main',
          'it is audited');
SELECT is((call('secret_version_delete', 'ready', 'latest')).status, 204,
          'secret_version_delete takes latest, and a disabled version');
SELECT results_eq($$SELECT status, status_to_restore, deletion_requested_at > long_ago(), updated_at
                      FROM store.version WHERE secret_id = secret('ready')::uuid
                     ORDER BY revision$$,
                  $$VALUES ('scheduled_for_deletion', 'enabled', true, long_ago()),
                           ('scheduled_for_deletion', 'disabled', true, long_ago())$$,
                  'they are scheduled for deletion, remember what they were, and count as '
                  'unchanged');
SELECT is((call('secret_version_get', 'ready',
                '1')).body @> '{"status": "scheduled_for_deletion", "deleted_at": null}', true,
          'a version that is scheduled for deletion is not deleted');
SELECT is((stored('ready')).updated_at, long_ago(), 'the secret has not changed');
SELECT is((call('secret_get', 'ready')).body ->> 'version_count', '2',
          'and still counts its versions');
SELECT is((call('secret_version_delete', 'protected', '1')).status, 204,
          'secret_version_delete takes a version of a protected secret');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_version_delete', '400 invalid_arguments revision format',
               'what is no revision', 'ready', '-1');
SELECT refuses('secret_version_delete', '404 not_found secret_version',
               'a revision that is not there', 'ready', '7');
SELECT refuses('secret_version_delete', '404 not_found secret_version',
               'latest_enabled when none is', 'ready', 'latest_enabled');
SELECT refuses('secret_version_delete', '412 precondition_failed resource_not_usable',
               'a version that is scheduled already', 'ready', '1');
SELECT refuses('secret_version_delete', '412 precondition_failed resource_not_usable',
               'one of a secret that is', 'scheduled', '1');
SELECT refuses('secret_version_delete', '423 locked secret', 'one of a locked secret', 'locked',
               '1');
SELECT refuses('secret_version_delete', '403 permissions_denied delete secret_version',
               'one of a managed secret', 'managed', '1');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged('secret_version_delete', 'delete secret_version', '1');

SELECT finish();
ROLLBACK;
