BEGIN;
\ir ../raised.sql

SELECT is(raised($$SELECT fail.call_again('{"need":"key"}')$$),
          'SM001 0 {"need":"key"}', 'fail.call_again says what is missing, with status 0 (SM001)');

SELECT finish();
ROLLBACK;
