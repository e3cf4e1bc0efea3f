BEGIN;
\ir ../raised.sql

SELECT throws_ok($$SELECT fail.operation_refused('there is none', 'make one')$$, 'SM900', 'there is none',
                 'fail.operation_refused says what is wrong (SM900)');
SELECT is(raised($$SELECT fail.operation_refused('there is none', 'make one')$$), 'SM900 make one ',
          'and what to do');

SELECT finish();
ROLLBACK;
