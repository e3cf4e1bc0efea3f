BEGIN;
\ir ../setup.sql
SELECT daemon.signer_keep(sha256('public'), '0123456789abcdef',
                          decode(repeat('00', 60), 'hex')) \g /dev/null

SET LOCAL ROLE coffer_operator;
SELECT is(operator.signer_retire(), encode(substr(sha256(sha256('public')), 1, 8), 'hex'),
          'operator.signer_retire gives the id of the key');
SELECT throws_ok('SELECT operator.signer_retire()', 'SM900', 'there is no signer',
                 'and refuses when there is none (SM900)');
RESET ROLE;
SELECT is_empty('SELECT FROM daemon.signer_get()', 'a daemon has to make another');

SELECT finish();
ROLLBACK;
