BEGIN;
\ir ../raised.sql
\ir ../session.sql

SET SESSION AUTHORIZATION coffer_api;
SELECT daemon.session_faults() AS none \gset
RESET SESSION AUTHORIZATION;
SET LOCAL log_parameter_max_length = -1;
SET SESSION AUTHORIZATION coffer_api;
SELECT daemon.session_faults() AS one \gset
RESET SESSION AUTHORIZATION;
SELECT is(:'none'::text, '{}',
          'daemon.session_faults finds nothing in a session that is as it must be,');
SELECT is(:'one'::text,
          '{"log_parameter_max_length is -1: ALTER ROLE coffer_api SET log_parameter_max_length = '
          '0"}',
          'and in one that was changed since it began what was changed, for the role that it '
          'began as');

SELECT finish();
ROLLBACK;
