BEGIN;
\ir ../setup.sql
\ir ../sealed.sql
SELECT encode(substr(sha256(sha256('public')), 1, 8), 'hex') AS signer \gset

SET LOCAL ROLE coffer_api;
SELECT is_empty('SELECT * FROM daemon.signer_get()',
                'daemon.signer_get gives no row while there is no key');
SELECT is_empty($$SELECT * FROM daemon.signer_keep(sha256('public'), 'retired',
                                                   decode(repeat('00', 60), 'hex'))$$,
                'daemon.signer_keep keeps none that is not under the active root key');
SELECT is((SELECT (signer, root_id, wrapped)
           FROM daemon.signer_keep(sha256('public'), '0123456789abcdef',
                                   decode(repeat('00', 60), 'hex'))),
          (:'signer'::text, '0123456789abcdef'::text, decode(repeat('00', 60), 'hex')),
              'daemon.signer_keep keeps a key by the hash of its public half');
SELECT is((SELECT signer FROM daemon.signer_keep(sha256('other'), '0123456789abcdef',
                                                 decode(repeat('11', 60), 'hex'))), :'signer',
          'a second one it does not, and gives the first');
SELECT is((SELECT wrapped FROM daemon.signer_get()), decode(repeat('00', 60), 'hex'),
          'as daemon.signer_get does then');
SELECT throws_ok('SELECT * FROM store.signer', '42501', NULL,
                 'a daemon does not read the keys otherwise');

SELECT finish();
ROLLBACK;
