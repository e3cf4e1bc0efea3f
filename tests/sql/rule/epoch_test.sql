-- rule.epoch_begin: what the event about an epoch declares. All else is in operator/audit_test.sql.
BEGIN;
\ir ../setup.sql
\ir ../sealed.sql

UPDATE audit.settled SET id = 5;
SELECT setval('audit.event_id', 77);
SELECT is(rule.epoch_begin('why'),
          '{"epoch": 2, "reason": "why", "settled_id": 5, "id_from": 1000000000077}',
          'rule.epoch_begin gives what its event says: the ids of which some may be lost');
SELECT is((SELECT p.id_from FROM audit.epoch p WHERE p.epoch = 2), 1000000000077,
          'and rows of the epoch have higher ids');
SELECT is((SELECT t.id FROM audit.settled t), 1000000000077,
          'with which the feed of changes goes on');
SELECT is_empty('SELECT * FROM auditor.verify()', 'the audit is sound');
SELECT is(rule.epoch_begin('again') ->> 'epoch', '3', 'another may follow in the same transaction');
SELECT is_empty('SELECT * FROM auditor.verify()', 'and the audit is sound still');

SELECT finish();
ROLLBACK;
