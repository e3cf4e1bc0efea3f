-- daemon.signer_*, seal_*, anchor_*: how a seal gets its signature and leaves the database.
BEGIN;
\ir ../setup.sql
\ir ../sealed.sql
SELECT gen_random_uuid() AS one, gen_random_uuid() AS two \gset
SELECT encode(substr(sha256(sha256('public')), 1, 8), 'hex') AS signer, decode(repeat('ab', 64), 'hex') AS signature \gset

SET LOCAL ROLE coffer_api;
SELECT is_empty('SELECT * FROM daemon.signer_get()', 'daemon.signer_get gives no row while there is no key');
SELECT is_empty($$SELECT * FROM daemon.signer_keep(sha256('public'), 'retired', decode(repeat('00', 60), 'hex'))$$,
                'daemon.signer_keep keeps none that is not under the active root key');
SELECT is((SELECT (signer, root_id, wrapped) FROM daemon.signer_keep(sha256('public'), '0123456789abcdef', decode(repeat('00', 60), 'hex'))),
          (:'signer'::text, '0123456789abcdef'::text, decode(repeat('00', 60), 'hex')), 'daemon.signer_keep keeps a key by the hash of its public half');
SELECT is((SELECT signer FROM daemon.signer_keep(sha256('other'), '0123456789abcdef', decode(repeat('11', 60), 'hex'))), :'signer',
          'a second one it does not, and gives the first');
SELECT is((SELECT wrapped FROM daemon.signer_get()), decode(repeat('00', 60), 'hex'), 'as daemon.signer_get does then');

SELECT is((SELECT array_agg(no) FROM daemon.seal_begin()), '{0,1,2,3,4}', 'daemon.seal_begin gives the seals without a signature');
SELECT is_empty(format('SELECT * FROM daemon.anchor_begin(%L)', :'one'), 'daemon.anchor_begin none of them');
SELECT ok(daemon.seal_sign(0, :'signer', :'signature'), 'daemon.seal_sign takes a signature');
SELECT ok(NOT daemon.seal_sign(0, :'signer', :'signature'), 'and no second one');
SELECT daemon.seal_sign(1, :'signer', :'signature');
SELECT is((SELECT array_agg(no) FROM daemon.seal_begin()), '{2,3,4}', 'daemon.seal_begin gives the rest');

SELECT is((SELECT no FROM daemon.anchor_begin(:'one')), 0::bigint, 'daemon.anchor_begin gives the first that has one');
SELECT is_empty(format('SELECT * FROM daemon.anchor_begin(%L)', :'two'), 'to one instance');
SELECT is((SELECT no FROM daemon.anchor_begin(:'one')), 0::bigint, 'again and again');
SELECT daemon.anchor_end(0);
SELECT is((SELECT no FROM daemon.anchor_begin(:'two')), 1::bigint, 'until daemon.anchor_end lets the next be given');
RESET ROLE;
UPDATE audit.seal SET taken_at = taken_at - interval '61 seconds' WHERE no = 1;
SET LOCAL ROLE coffer_api;
SELECT is((SELECT no FROM daemon.anchor_begin(:'one')), 1::bigint, 'or the instance was not heard of for a minute');
SELECT daemon.anchor_end(1);
SELECT is_empty(format('SELECT * FROM daemon.anchor_begin(%L)', :'one'), 'what is not signed has to wait');

SELECT throws_ok('SELECT * FROM audit.seal', '42501', NULL, 'a daemon does not read the seals otherwise');
SELECT throws_ok('SELECT * FROM store.signer', '42501', NULL, 'nor the keys');

SELECT finish();
ROLLBACK;
