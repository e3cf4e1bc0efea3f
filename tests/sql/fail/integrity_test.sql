BEGIN;
\ir ../raised.sql

SELECT is(raised($$SELECT fail.integrity()$$),
          'SM101 500 {"message":"internal error","type":"internal"}',
          'fail.integrity says nothing but that it failed (SM101)');

SELECT finish();
ROLLBACK;
