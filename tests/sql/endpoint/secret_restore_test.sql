-- POST /secrets/{secret_id}/restore
BEGIN;
\ir ../setup.sql

-- Allowed ----------------------------------------------------------------------

SELECT make_version('ready'), given('secret_version_disable', 'ready', '2'), make_version('ready'),
       given('secret_version_delete', 'ready', '3'), given('secret_delete', 'ready'),
       backdate('ready');
SELECT status, text FROM call('secret_restore', 'ready', caller => 'only restore') \gset
SELECT is(:status, 200, 'secret_restore answers 200');
SELECT is(audited(), 'secret_restore 200 by only restore on ready in main', 'it is audited');
SELECT is(:'text', (call('secret_get', 'ready')).text, 'the answer is the secret');
SELECT is((stored('ready')).deletion_requested_at, NULL, 'the secret is live again');
SELECT cmp_ok((stored('ready')).updated_at, '>', long_ago(), 'which is a change of it');
SELECT results_eq($$SELECT status, status_to_restore, deletion_requested_at,
                           updated_at = (stored('ready')).updated_at
                      FROM store.version WHERE secret_id = secret('ready')::uuid
                     ORDER BY revision$$,
                  $$VALUES ('enabled', NULL, NULL::timestamptz, true),
                           ('disabled', NULL, NULL, true),
                           ('enabled', NULL, NULL, true)$$,
                  'each version is what it was, the one deleted before too, and has changed');
SELECT is((call('secret_version_access', 'ready', '3')).status, 200, 'what they hold can be read');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_restore', '412 precondition_failed resource_not_usable',
               'a secret that is not scheduled for deletion', 'ready');
SELECT refuses('secret_restore', '412 precondition_failed resource_not_usable',
               'a protected secret', 'protected');
SELECT refuses('secret_restore', '423 locked secret', 'a locked secret', 'locked');
SELECT refuses('secret_restore', '403 permissions_denied restore secret', 'a managed secret',
               'managed');

SELECT secret('scheduled') AS scheduled \gset
SELECT make_secret('scheduled');
SELECT refuses('secret_restore', '400 invalid_arguments name format',
               'a secret whose name is taken', :'scheduled');

-- Unprivileged -----------------------------------------------------------------

SELECT given('secret_delete', 'ready');
SELECT refuses_unprivileged('secret_restore', 'restore secret');

SELECT finish();
ROLLBACK;
