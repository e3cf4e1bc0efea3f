BEGIN;
\ir ../raised.sql

SELECT is(raised($$SELECT fail.quotas_exceeded('secret', 250, 251)$$),
          'SM4Q3 403 {"details":[{"current":251,"quota":250,"resource":"secret"}],"message":"quota(s) exceeded for this resource","type":"quotas_exceeded"}',
          'fail.quotas_exceeded gives the numbers (SM4Q3)');

SELECT finish();
ROLLBACK;
