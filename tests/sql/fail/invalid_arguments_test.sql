BEGIN;
\ir ../raised.sql

SELECT is(raised($$SELECT fail.invalid_arguments(
                       rule.argument_fault('a', 'required', 'value "is" required')
                       || rule.argument_fault('b', 'format', 'x'))$$),
          'SM400 400 {"details":[{"argument_name":"a","help_message":"value \"is\" required","reason":"required"},'
          '{"argument_name":"b","help_message":"x","reason":"format"}],"message":"invalid argument(s)","type":"invalid_arguments"}',
          'fail.invalid_arguments gives all faults, in their order (SM400)');
SELECT is(raised($$SELECT fail.invalid_argument('a', 'required', 'r')$$),
          'SM400 400 {"details":[{"argument_name":"a","help_message":"r","reason":"required"}],'
          '"message":"invalid argument(s)","type":"invalid_arguments"}',
          'fail.invalid_argument gives the one (SM400)');

SELECT finish();
ROLLBACK;
