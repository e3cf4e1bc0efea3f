BEGIN;
\ir ../raised.sql

SELECT is(raised($$SELECT fail.denied_authentication('expired')$$),
          'SM401 401 {"message":"authentication is denied","method":"api_key","reason":"expired","type":"denied_authentication"}',
          'fail.denied_authentication gives the reason (SM401)');

SELECT finish();
ROLLBACK;
