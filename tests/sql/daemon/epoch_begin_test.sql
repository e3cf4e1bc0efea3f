BEGIN;
\ir ../setup.sql
\ir ../sealed.sql
\ir ../seen.sql

SELECT is(daemon.epoch_begin(seen()), 1,
          'daemon.epoch_begin begins no epoch while nothing is missing');
SELECT is(daemon.epoch_begin(seen('{"seal": 99}')), 2, 'and else one');
SELECT is((SELECT e.request -> 'seen' ->> 'seal' FROM audit.event e ORDER BY e.id DESC LIMIT 1),
          '99', 'whose event says what was missing');
SELECT is(daemon.epoch_begin('{"epoch": 1, "seal": 99, "seal_hash": "00"}'), 2,
          'for all daemons that have seen the epoch before');
SELECT is(missing('{"epoch": 1, "seal": 99, "seal_hash": "00"}'), '',
          'which find nothing missing then');
SELECT is(daemon.epoch_begin('{"epoch": 3, "seal": 99, "seal_hash": "00"}'), 4,
          'the number of an epoch that was lost is not given again');
SELECT is_empty('SELECT * FROM auditor.verify()', 'and the audit is sound');

SELECT finish();
ROLLBACK;
