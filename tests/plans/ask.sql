-- The questions of an auditor, their plans and times. A function hides its plan, so the statement in it is explained by
-- auto_explain, which prints it as a notice.
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_analyze = on;
SET auto_explain.log_timing = off;
SET auto_explain.log_nested_statements = on;
SET auto_explain.log_level = 'notice';
SET client_min_messages = notice;
SET jit = off;
\timing on
SELECT md5('s77')::uuid AS secret, id AS principal FROM store.principal WHERE name = 'p7' \gset
SELECT max(id) - 500 AS change, min(organization_id::text) AS organization FROM auditor.change \gset

\echo == who read this secret in the last 30 days
SELECT count(*) FROM auditor.secret_reads(:'secret');
\echo == what a principal did in the last day
SELECT count(*) FROM auditor.principal_events(:'principal');
\echo == what an API key did in the last day
SELECT count(*) FROM auditor.api_key_events('SCW00000000000000007');
\echo == refusals of the last day
SELECT count(*) FROM auditor.refusals();
\echo == secrets not read for 30 days, or never
SELECT count(*) FROM auditor.secrets_unread(30);
\echo == who can read this secret
SELECT count(*) FROM auditor.secret_readers(:'secret');
\echo == API keys not used for 30 days
SELECT count(*) FROM auditor.api_keys_unused(30);
\echo == versions that are old
SELECT count(*) FROM auditor.versions_old(30);
\echo == changes after a cursor
SELECT count(*) FROM auditor.changes('1.' || :'change', 1000);
\echo == a page of the events of an organization, of 30 days
SELECT count(*) FROM auditor.event_page(:'organization', now() - interval '30 days', now(), false, NULL, NULL, 51,
                                        ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL)::rule.event_filter);
\echo == how far the seals are
SELECT * FROM daemon.audit_state();
