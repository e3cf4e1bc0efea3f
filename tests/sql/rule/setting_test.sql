BEGIN;
\ir ../raised.sql

SELECT is(rule.setting('purge_after'), '7 days', 'purge_after is 7 days');
SELECT operator.setting_set('purge_after', '1 hour');
SELECT is(rule.setting('purge_after'), '1 hour', 'unless the operator has set another');
SELECT is(rule.setting('unheard_of'), NULL, 'there is no other setting');

SELECT finish();
ROLLBACK;
