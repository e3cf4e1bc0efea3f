-- job.audit_seal
BEGIN;
\ir ../setup.sql
\ir ../sealed.sql
DELETE FROM audit.seal WHERE no > 0;
DELETE FROM audit.event;
SELECT make_event(1, 0), make_event(2, 3), make_event(3, 9);

SET LOCAL ROLE coffer_api;
SELECT is(job.audit_seal(5), 2::bigint, 'job.audit_seal seals the rows of so many transactions');
SELECT is(job.audit_seal(4), 0::bigint, 'passes over transactions that have no rows');
SELECT is(job.audit_seal(), 1::bigint, 'and seals the rest that has ended');
SELECT is(job.audit_seal(), 0::bigint, 'once');
RESET ROLE;
SELECT results_eq('SELECT s.no, s.n, s.xid_from - b.xid, s.xid_to - b.xid FROM audit.seal s, '
                  'test.base b ORDER BY s.no',
                  $$VALUES (0::bigint, 0::bigint, 0::bigint, 0::bigint), (1, 2, 0, 5), (2, 0, 5, 9),
                      (3, 1, 9, 100)$$,
                  'the seals go on from each other');
SELECT is((SELECT n.prev FROM audit.seal n WHERE n.no = 3),
          (SELECT b.hash FROM audit.seal b WHERE b.no = 2), 'and hold each other''s hash');
SELECT is((SELECT root FROM audit.seal WHERE no = 1),
          sha256((SELECT string_agg(hash, '' ORDER BY id) FROM audit.event WHERE id < 3)),
          'and the hash of the hashes of their rows');
SELECT is_empty('SELECT * FROM auditor.verify()', 'auditor.verify finds nothing wrong');

SELECT finish();
ROLLBACK;
