BEGIN;
\ir ../raised.sql

SELECT is(raised($$SELECT fail.precondition_failed('protected_resource', 'cannot')$$),
          'SM412 412 {"help_message":"cannot","message":"precondition is not respected","precondition":"protected_resource","type":"precondition_failed"}',
          'fail.precondition_failed says which and why (SM412)');

SELECT finish();
ROLLBACK;
