BEGIN;
\ir ../setup.sql
\ir ../called.sql

SET LOCAL ROLE coffer_auditor;
SELECT is((SELECT array_agg(method) FROM auditor.principal_events(:'owner')
           WHERE secret_id = :'ready' OR method LIKE 'operator.%'),
          '{secret_get,secret_version_create,secret_create,operator.api_key_add,'
          'operator.policy_create,operator.principal_create,'
          'secret_version_access}',
              'auditor.principal_events that of a principal, and what was done to it');
SELECT is_empty(format('SELECT FROM auditor.principal_events(%L, until => now() - interval ''1 '
                       'day'')', :'owner'), 'in a time');

SELECT finish();
ROLLBACK;
