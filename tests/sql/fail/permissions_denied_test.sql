BEGIN;
\ir ../raised.sql

SELECT is(raised($$SELECT fail.permissions_denied('read', 'secret')$$),
          'SM403 403 {"details":[{"action":"read","resource":"secret"}],"message":"insufficient permissions","type":"permissions_denied"}',
          'fail.permissions_denied names action and resource (SM403)');

SELECT finish();
ROLLBACK;
