-- POST /secrets/{secret_id}/protect
BEGIN;
\ir ../setup.sql

-- Allowed ----------------------------------------------------------------------

SELECT backdate('ready');
SELECT status, text FROM call('secret_protect', 'ready', caller => 'only write') \gset
SELECT is(:status, 200, 'secret_protect answers 200');
SELECT is(audited(), 'secret_protect 200 by only write on ready in main', 'it is audited');
SELECT is(:'text', (call('secret_get', 'ready')).text, 'the answer is the secret');
SELECT ok((stored('ready')).protected, 'the secret is protected');
SELECT is((stored('ready')).updated_at, long_ago(), 'which is no change of it');

SELECT is((call('secret_protect', 'ready')).text, :'text', 'secret_protect can be repeated');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_protect', '412 precondition_failed resource_not_usable',
               'a secret that is scheduled for deletion', 'scheduled');
SELECT refuses('secret_protect', '423 locked secret', 'a locked secret', 'locked');
SELECT refuses('secret_protect', '403 permissions_denied write secret', 'a managed secret',
               'managed');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged('secret_protect', 'write secret');

SELECT finish();
ROLLBACK;
