-- rule.audit_settle: up to which id the audit is complete. That it waits for transactions that run takes another one:
-- isolation/specs/changes.spec.
BEGIN;
\ir ../setup.sql
SELECT last_value AS given FROM audit.event_id \gset

SELECT is_empty('SELECT FROM auditor.changes()', 'nothing is known to be complete');
SELECT rule.audit_settle();
SELECT is((SELECT id FROM audit.settled), :given::bigint, 'rule.audit_settle finds that all is, but for what runs; what it writes with its own commit, too');
SELECT isnt_empty('SELECT FROM auditor.changes()', 'and auditor.changes gives it');

SELECT call('secret_delete', 'locked') \g /dev/null
SELECT rule.audit_settle();
SELECT is((SELECT id FROM audit.settled), :given::bigint + 1, 'it goes on with what is no change, too');
SELECT nextval('audit.event_id') \g /dev/null
SELECT rule.audit_settle();
SELECT is((SELECT id FROM audit.settled), :given::bigint + 2, 'and with an id that was given and not used');

CREATE TEMP TABLE written AS SELECT ctid AS place FROM audit.settled;
SELECT rule.audit_settle();
SELECT is((SELECT s.ctid FROM audit.settled s), (SELECT w.place FROM written w), 'it writes nothing when there is nothing new');

SELECT finish();
ROLLBACK;
