BEGIN;
\ir raised.sql

SELECT is(raised($$SELECT fail.challenge('{"need":"key"}')$$),
          'SM001 0 {"need":"key"}', 'fail.challenge says what is missing, with status 0 (SM001)');

SELECT is(raised($$SELECT fail.integrity()$$),
          'SM101 500 {"message":"internal error","type":"internal"}',
          'fail.integrity says nothing but that it failed (SM101)');

SELECT is(raised($$SELECT fail.invalid_arguments(
                       rule.argument_fault('a', 'required', 'value "is" required')
                       || rule.argument_fault('b', 'format', 'x'))$$),
          'SM400 400 {"details":[{"argument_name":"a","help_message":"value \"is\" '
          'required","reason":"required"},'
          '{"argument_name":"b","help_message":"x","reason":"format"}],"message":"invalid '
          'argument(s)","type":"invalid_arguments"}',
          'fail.invalid_arguments gives all faults, in their order (SM400)');
SELECT is(raised($$SELECT fail.invalid_argument('a', 'required', 'r')$$),
          'SM400 400 {"details":[{"argument_name":"a","help_message":"r","reason":"required"}],'
          '"message":"invalid argument(s)","type":"invalid_arguments"}',
          'fail.invalid_argument gives the one (SM400)');

SELECT is(raised($$SELECT fail.denied_authentication('expired')$$),
          'SM401 401 {"message":"authentication is '
          'denied","method":"api_key","reason":"expired","type":"denied_authentication"}',
          'fail.denied_authentication gives the reason (SM401)');

SELECT is(raised($$SELECT fail.permissions_denied('read', 'secret')$$),
          'SM403 403 {"details":[{"action":"read","resource":"secret"}],"message":"insufficient '
          'permissions","type":"permissions_denied"}',
          'fail.permissions_denied names action and resource (SM403)');

SELECT is(raised($$SELECT fail.quotas_exceeded('secret', 250, 251)$$),
          'SM4Q3 403 '
          '{"details":[{"current":251,"quota":250,"resource":"secret"}],"message":"quota(s) '
          'exceeded for this resource","type":"quotas_exceeded"}',
          'fail.quotas_exceeded gives the numbers (SM4Q3)');

SELECT is(raised($$SELECT fail.not_found('secret', 'id')$$),
          'SM404 404 {"message":"resource is not '
          'found","resource":"secret","resource_id":"id","type":"not_found"}',
          'fail.not_found names the resource (SM404)');

SELECT is(raised($$SELECT fail.precondition_failed('protected_resource', 'cannot')$$),
          'SM412 412 {"help_message":"cannot","message":"precondition is not '
          'respected","precondition":"protected_resource","type":"precondition_failed"}',
          'fail.precondition_failed says which and why (SM412)');

SELECT is(raised($$SELECT fail.locked('secret', 'id')$$),
          'SM423 423 {"message":"resource is '
          'locked","resource":"secret","resource_id":"id","type":"locked"}',
          'fail.locked names the resource (SM423)');

SELECT throws_ok($$SELECT fail.operation_refused('there is none', 'make one')$$, 'SM900',
                 'there is none',
                 'fail.operation_refused says what is wrong (SM900)');
SELECT is(raised($$SELECT fail.operation_refused('there is none', 'make one')$$), 'SM900 make one ',
          'and what to do');

SELECT finish();
ROLLBACK;
