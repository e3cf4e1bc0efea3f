-- rule.audit_settle: up to which id the audit is complete. All that it does takes a transaction
-- that has written nothing yet, and others that run: isolation/specs/changes.spec.
BEGIN;
\ir ../setup.sql

SELECT rule.audit_settle();
SELECT is((SELECT (id, next_id, next_xid)::text FROM audit.settled), '(0,0,0)',
          'rule.audit_settle does nothing in a transaction that has a number');
SELECT is_empty('SELECT FROM auditor.changes()', 'so nothing is known to be complete');

SELECT finish();
ROLLBACK;
