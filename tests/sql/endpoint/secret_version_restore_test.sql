-- POST /secrets/{secret_id}/versions/{revision}/restore
BEGIN;
\ir ../setup.sql

-- Allowed ----------------------------------------------------------------------

SELECT make_version('ready'), given('secret_version_disable', 'ready', '2'),
       given('secret_version_delete', 'ready', '1'),
       given('secret_version_delete', 'ready', '2'), backdate('ready');
SELECT status, text
  FROM call('secret_version_restore', 'ready', '1', caller => 'only restore') \gset
SELECT is(:status, 200, 'secret_version_restore answers 200');
SELECT is(audited(), 'secret_version_restore 200 by only restore on ready/1 in main',
          'it is audited');
SELECT is(:'text', (call('secret_version_get', 'ready', '1')).text, 'the answer is the version');
SELECT is((call('secret_version_restore', 'ready', 'latest')).status, 200,
          'secret_version_restore takes latest');
SELECT results_eq($$SELECT status, status_to_restore, deletion_requested_at, updated_at > long_ago()
                      FROM store.version WHERE secret_id = secret('ready')::uuid
                     ORDER BY revision$$,
                  $$VALUES ('enabled', NULL, NULL::timestamptz, true),
                           ('disabled', NULL, NULL, true)$$,
                  'each is what it was, and has changed');
SELECT is((stored('ready')).updated_at, long_ago(), 'the secret has not changed');
SELECT is((call('secret_version_access', 'ready', '1')).body ->> 'data', encode('value', 'base64'),
          'what it holds can be read');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_version_restore', '400 invalid_arguments revision format',
               'what is no revision', 'ready', '1.0');
SELECT refuses('secret_version_restore', '404 not_found secret_version',
               'a revision that is not there', 'ready', '7');
SELECT refuses('secret_version_restore', '412 precondition_failed resource_not_usable',
               'an enabled version', 'ready', '1');
SELECT refuses('secret_version_restore', '412 precondition_failed resource_not_usable',
               'a disabled version', 'ready', '2');
SELECT refuses('secret_version_restore', '412 precondition_failed resource_not_usable',
               'one of a secret that is scheduled for deletion', 'scheduled', '1');
SELECT refuses('secret_version_restore', '423 locked secret', 'one of a locked secret', 'locked',
               '1');
SELECT refuses('secret_version_restore', '403 permissions_denied restore secret_version',
               'one of a managed secret', 'managed', '1');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged('secret_version_restore', 'restore secret_version', '1');

SELECT finish();
ROLLBACK;
