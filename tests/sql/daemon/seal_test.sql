BEGIN;
\ir ../setup.sql
\ir ../sealed.sql
SELECT encode(substr(sha256(sha256('public')), 1, 8), 'hex') AS signer,
       decode(repeat('ab', 64), 'hex') AS signature \gset

SET LOCAL ROLE coffer_api;
SELECT daemon.signer_keep(sha256('public'), '0123456789abcdef',
                          decode(repeat('00', 60), 'hex')) \g /dev/null
SELECT is((SELECT array_agg(no) FROM daemon.seal_begin()), '{0,1,2,3,4}',
          'daemon.seal_begin gives the seals without a signature');
SELECT ok(daemon.seal_sign(0, :'signer', :'signature'), 'daemon.seal_sign takes a signature');
SELECT ok(NOT daemon.seal_sign(0, :'signer', :'signature'), 'and no second one');
SELECT daemon.seal_sign(1, :'signer', :'signature');
SELECT is((SELECT array_agg(no) FROM daemon.seal_begin()), '{2,3,4}',
          'daemon.seal_begin gives the rest');
SELECT throws_ok('SELECT * FROM audit.seal', '42501', NULL,
                 'a daemon does not read the seals otherwise');

SELECT finish();
ROLLBACK;
