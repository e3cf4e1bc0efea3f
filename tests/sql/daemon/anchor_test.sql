BEGIN;
\ir ../setup.sql
\ir ../sealed.sql
SELECT gen_random_uuid() AS one, gen_random_uuid() AS two \gset
SELECT encode(substr(sha256(sha256('public')), 1, 8), 'hex') AS signer,
       decode(repeat('ab', 64), 'hex') AS signature \gset

SET LOCAL ROLE coffer_api;
SELECT daemon.signer_keep(sha256('public'), '0123456789abcdef',
                          decode(repeat('00', 60), 'hex')) \g /dev/null
SELECT is_empty(format('SELECT * FROM daemon.anchor_begin(%L)', :'one'),
                'daemon.anchor_begin gives none without a signature');
SELECT daemon.seal_sign(no, :'signer', :'signature') FROM generate_series(0, 1) AS no \g /dev/null
SELECT is((SELECT no FROM daemon.anchor_begin(:'one')), 0::bigint,
          'daemon.anchor_begin gives the first that has one');
SELECT is_empty(format('SELECT * FROM daemon.anchor_begin(%L)', :'two'), 'to one instance');
SELECT is((SELECT no FROM daemon.anchor_begin(:'one')), 0::bigint, 'again and again');
SELECT daemon.anchor_end(0);
SELECT is((SELECT no FROM daemon.anchor_begin(:'two')), 1::bigint,
          'until daemon.anchor_end lets the next be given');
RESET ROLE;
UPDATE audit.seal SET taken_at = taken_at - interval '61 seconds' WHERE no = 1;
SET LOCAL ROLE coffer_api;
SELECT is((SELECT no FROM daemon.anchor_begin(:'one')), 1::bigint,
          'or the instance was not heard of for a minute');
SELECT daemon.anchor_end(1);
SELECT is_empty(format('SELECT * FROM daemon.anchor_begin(%L)', :'one'),
                'what is not signed has to wait');

SELECT finish();
ROLLBACK;
