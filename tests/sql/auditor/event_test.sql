BEGIN;
\ir ../setup.sql

SELECT receipt FROM call('secret_version_access', 'ready', '1') \gset
SET SESSION AUTHORIZATION coffer_auditor;
SELECT method, status, error IS NULL AS fine FROM auditor.event WHERE id = :receipt \gset
RESET SESSION AUTHORIZATION;
SELECT is(format('%s %s %s', :'method', :'status', :'fine'), 'secret_version_access 200 t',
          'an auditor sees each call');
SELECT results_eq($$SELECT e.* FROM auditor.event e ORDER BY id$$,
                  $$SELECT e.* FROM audit.event e ORDER BY id$$, 'and all of it');

SELECT finish();
ROLLBACK;
