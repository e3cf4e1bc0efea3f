-- POST /secrets/{secret_id}/versions/{revision}/disable
BEGIN;
\ir ../setup.sql

-- Allowed ----------------------------------------------------------------------

SELECT make_version('ready'), backdate('ready');
SELECT status, text FROM call('secret_version_disable', 'ready', '1', caller => 'only write') \gset
SELECT is(:status, 200, 'secret_version_disable answers 200');
SELECT is(audited(), 'secret_version_disable 200 by only write on ready/1 in main',
          'it is audited');
SELECT is(:'text', (call('secret_version_get', 'ready', '1')).text, 'the answer is the version');
SELECT is((stored('ready', 1)).status, 'disabled', 'it is disabled');
SELECT cmp_ok((stored('ready', 1)).updated_at, '>', long_ago(), 'which is a change of the version');
SELECT is((stored('ready')).updated_at, long_ago(), 'and not of the secret');
SELECT is((stored('ready', 2)).status, 'enabled', 'the other is as it was');
SELECT is(brief(call('secret_version_access', 'ready', '1')),
          '412 precondition_failed resource_not_usable', 'it cannot be accessed');

SELECT is((call('secret_version_disable', 'ready', '1')).text, :'text',
          'secret_version_disable of a disabled version changes nothing');
SELECT is((call('secret_version_disable', 'ready', 'latest_enabled')).body ->> 'revision', '2',
          'secret_version_disable takes latest_enabled');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_version_disable', '400 invalid_arguments revision format',
               'what is no revision', 'ready', 'last');
SELECT refuses('secret_version_disable', '404 not_found secret_version',
               'latest_enabled when none is', 'ready', 'latest_enabled');
SELECT given('secret_version_delete', 'ready', '1');
SELECT refuses('secret_version_disable', '412 precondition_failed resource_not_usable',
               'a version that is scheduled for deletion', 'ready', '1');
SELECT refuses('secret_version_disable', '412 precondition_failed resource_not_usable',
               'one of a secret that is', 'scheduled', '1');
SELECT refuses('secret_version_disable', '423 locked secret', 'one of a locked secret', 'locked',
               '1');
SELECT refuses('secret_version_disable', '403 permissions_denied write secret_version',
               'one of a managed secret', 'managed', '1');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged('secret_version_disable', 'write secret_version', '1');

SELECT finish();
ROLLBACK;
