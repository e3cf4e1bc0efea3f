-- daemon.seen_faults: what a database lacks of what a daemon has seen.
BEGIN;
\ir ../setup.sql
\ir ../sealed.sql
\ir ../seen.sql
SELECT encode(sha256('other'), 'hex') AS other \gset

SELECT is(missing(NULL), '',
          'daemon.seen_faults finds nothing missing for a daemon that has seen nothing');
SELECT is(missing('{"epoch": 1}'), '', 'or only the epoch');
SELECT is(missing(seen()), '', 'or all that there is');
SELECT is(missing(seen('{"xid_to": null}')), '',
          'of a receipt whose transaction may be any later one, too');
SELECT is(missing(seen() - 'receipt'), '', 'or no receipt that is not sealed');
SELECT is(missing(seen('{"receipt": 60}')), 'row 60, and maybe others of 2 receipts from 6 to 7',
          'a receipt without its row is missing');
SELECT is(missing(seen(jsonb_build_object('receipt_hash', :'other'))),
          'row 6, and maybe others of 2 receipts from 6 to 7', 'and one with another row');
SELECT is(missing(seen('{"seal": 99}')), 'seal 99', 'a seal that is not there is missing');
SELECT is(missing(seen(jsonb_build_object('seal_hash', :'other'))), 'seal 4',
          'and one that is another');
SELECT is(missing(seen('{"receipt": 60, "seal": 99}')),
          'row 60, and maybe others of 2 receipts from 6 to 7; seal 99', 'both are said');
SELECT is(missing(seen('{"epoch": 2}')), 'epoch 2',
          'an epoch that the database does not know is missing');
SELECT alike((daemon.seen_faults(seen('{"seal": 99}')))[1],
             '%its last seal is 4, its last row 6)%: SELECT operator.audit_epoch_begin(''why'')',
             'with it is said what there is, and what to do');

-- A daemon is told in its handshake, and may mend it if nothing else is wrong.
SELECT is((SELECT h.behind FROM daemon.hello(gen_random_uuid(), '', '{}', seen()) AS h), false,
          'daemon.hello finds nothing');
SELECT alike((SELECT h.faults::text FROM daemon.hello(gen_random_uuid(), '', '{}',
                                                      seen('{"seal": 99}')) AS h),
                                                          '%lacks what this daemon has seen%',
             'or else says it among the faults');

SELECT finish();
ROLLBACK;
