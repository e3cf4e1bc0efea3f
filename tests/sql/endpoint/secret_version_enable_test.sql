-- POST /secrets/{secret_id}/versions/{revision}/enable
BEGIN;
\ir ../setup.sql

-- Allowed ----------------------------------------------------------------------

SELECT given('secret_version_disable', 'ready', '1'), backdate('ready');
SELECT status, text FROM call('secret_version_enable', 'ready', '1', caller => 'only write') \gset
SELECT is(:status, 200, 'secret_version_enable answers 200');
SELECT is(audited(), 'secret_version_enable 200 by only write on ready/1 in main', 'it is audited');
SELECT is(:'text', (call('secret_version_get', 'ready', '1')).text, 'the answer is the version');
SELECT is((stored('ready', 1)).status, 'enabled', 'it is enabled');
SELECT cmp_ok((stored('ready', 1)).updated_at, '>', long_ago(), 'which is a change of the version');
SELECT is((stored('ready')).updated_at, long_ago(), 'and not of the secret');
SELECT is((call('secret_version_access', 'ready', '1')).status, 200, 'it can be accessed');

SELECT is((call('secret_version_enable', 'ready', 'latest')).text, :'text',
          'secret_version_enable of an enabled version changes nothing');

SELECT given('secret_update', 'ready',
             body => '{"ephemeral_policy": {"time_to_live": "60s", "action": "delete"}}'),
       given('secret_version_enable', 'ready', '1');
SELECT is((stored('ready', 1)).action, NULL, 'not even when its secret has a new policy');
SELECT given('secret_version_disable', 'ready', '1'), given('secret_version_enable', 'ready', '1');
SELECT results_eq($$SELECT expires_at, expires_once_accessed, action FROM stored('ready', 1)$$,
                  $$SELECT updated_at + interval '60 s', false, 'delete' FROM stored('ready', 1)$$,
                  'secret_version_enable gives a disabled version what the policy now says, '
                  'counted anew');
SELECT expire('ready', 1, 'disable');
SELECT is((call('secret_version_enable', 'ready', '1')).body ->> 'status', 'enabled',
          'also one that has expired');
SELECT cmp_ok((stored('ready', 1)).expires_at, '>', clock_timestamp(), 'which then lives again');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_version_enable', '400 invalid_arguments revision format',
               'what is no revision', 'ready', '01');
SELECT refuses('secret_version_enable', '404 not_found secret_version',
               'a revision that is not there', 'ready', '7');
SELECT given('secret_version_delete', 'ready', '1');
SELECT refuses('secret_version_enable', '412 precondition_failed resource_not_usable',
               'a version that is scheduled for deletion', 'ready', '1');
SELECT refuses('secret_version_enable', '412 precondition_failed resource_not_usable',
               'one of a secret that is', 'scheduled', '1');
SELECT refuses('secret_version_enable', '423 locked secret', 'one of a locked secret', 'locked',
               '1');
SELECT refuses('secret_version_enable', '403 permissions_denied write secret_version',
               'one of a managed secret', 'managed', '1');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged('secret_version_enable', 'write secret_version', '1');

SELECT finish();
ROLLBACK;
