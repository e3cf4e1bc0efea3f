BEGIN;
\ir ../setup.sql
\ir ../called.sql

SET LOCAL ROLE coffer_auditor;
SELECT results_eq('SELECT principal, error, api_key, method, refused, ips FROM auditor.refusals()',
                  $$VALUES ('nobody', 'permissions_denied', NULL, 'secret_get', 2::bigint,
                            '{192.0.2.1}'::inet[]),
                           ('expired', 'denied_authentication', 'expired', 'secret_get', 1,
                            '{192.0.2.1}'),
                           ('nobody', 'permissions_denied', NULL, 'secret_version_access', 1,
                            '{192.0.2.1}'),
                           ('only access', 'not_found', NULL, 'secret_version_access', 1,
                            '{192.0.2.1}'),
                           ('revoked', 'denied_authentication', 'revoked', 'secret_get', 1,
                            '{192.0.2.1}'),
                           (NULL, 'denied_authentication', 'unknown', 'secret_get', 1,
                            '{192.0.2.1}')$$,
                  'auditor.refusals counts refusals by principal and reason');
SELECT is_empty('SELECT FROM auditor.refusals(until => now() - interval ''1 day'')', 'in a time');

SELECT finish();
ROLLBACK;
