-- POST /secrets/{secret_id}/unprotect
BEGIN;
\ir ../setup.sql

-- Allowed ----------------------------------------------------------------------

SELECT backdate('protected');
SELECT status, text FROM call('secret_unprotect', 'protected', caller => 'only write') \gset
SELECT is(:status, 200, 'secret_unprotect answers 200');
SELECT is(audited(), 'secret_unprotect 200 by only write on protected in main', 'it is audited');
SELECT is(:'text', (call('secret_get', 'protected')).text, 'the answer is the secret');
SELECT ok(NOT (stored('protected')).protected, 'the secret is protected no more');
SELECT is((stored('protected')).updated_at, long_ago(), 'which is no change of it');

SELECT is((call('secret_unprotect', 'protected')).text, :'text',
          'secret_unprotect can be repeated');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_unprotect', '412 precondition_failed resource_not_usable',
               'a secret that is scheduled for deletion', 'scheduled');
SELECT refuses('secret_unprotect', '423 locked secret', 'a locked secret', 'locked');
SELECT refuses('secret_unprotect', '403 permissions_denied write secret', 'a managed secret',
               'managed');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged('secret_unprotect', 'write secret');

SELECT finish();
ROLLBACK;
