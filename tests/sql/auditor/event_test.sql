-- What an auditor sees of calls, and what not.
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

-- What an auditor may not
SET LOCAL ROLE coffer_auditor;
SELECT throws_ok(format('SELECT * FROM %s', name), '42501', NULL,
                 'an auditor does not read ' || name)
  FROM unnest('{audit.event,audit.seal,store.secret,store.version,store.dek,store.kek,store.signer,'
              'store.api_key}'::text[]) AS name;
SELECT throws_ok('DELETE FROM auditor.event', NULL, NULL, 'nor writes through the views');
SELECT is_empty($$SELECT c.relname, a.attname FROM pg_class c
                    JOIN pg_attribute a ON a.attrelid = c.oid
                   WHERE c.relnamespace = 'auditor'::regnamespace
                     AND a.attname IN ('sealed', 'wrapped', 'digest')$$,
                'which show nothing sealed or wrapped');
RESET ROLE;

SELECT finish();
ROLLBACK;
