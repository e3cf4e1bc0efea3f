-- The questions of an auditor, their plans and times. A function hides its plan, so the statement in it is explained by
-- auto_explain, which prints it as a notice; the question before it goes the same way, so that they stay together.
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_analyze = on;
SET auto_explain.log_timing = off;
SET auto_explain.log_nested_statements = on;
SET auto_explain.log_level = 'notice';
SET client_min_messages = notice;
SET jit = off;
\timing on
SELECT id AS secret, organization_id AS organization FROM load.secret WHERE i = 0 \gset
SELECT id AS unread FROM load.secret WHERE i = 18000 \gset
SELECT id AS principal, access_key FROM (
    SELECT p.id, k.access_key FROM store.principal p JOIN store.api_key k ON k.principal_id = p.id WHERE p.name = 'p0' ORDER BY 2 LIMIT 1) AS one \gset
SELECT id AS key FROM load.managed_key WHERE i = 0 \gset
SELECT id - 100000 AS change FROM auditor.change ORDER BY id DESC LIMIT 1 \gset

\warn == who read this secret in the last 30 days: the one that is read most
SELECT count(*) FROM auditor.secret_reads(:'secret');
\warn == who read this secret in the last 30 days: one that is looked at, and never read
SELECT count(*) FROM auditor.secret_reads(:'unread');
\warn == who used this key in the last 30 days
SELECT count(*) FROM auditor.key_uses(:'key');
\warn == the last read of this secret
SELECT * FROM auditor.secret_last_read WHERE secret_id = :'unread';
\warn == the last read of each secret
SELECT count(*), count(read_at) FROM auditor.secret_last_read;
\warn == secrets not read for 30 days, or never
SELECT count(*) FROM auditor.secrets_unread(30);
\warn == secrets not read for 90 days, or never
SELECT count(*) FROM auditor.secrets_unread(90);
\warn == what a principal did in the last day
SELECT count(*) FROM auditor.principal_events(:'principal');
\warn == what an API key did in the last day
SELECT count(*) FROM auditor.api_key_events(:'access_key');
\warn == refusals of the last day
SELECT count(*) FROM auditor.refusals();
\warn == API keys and when each was used
SELECT count(*), count(used_at) FROM auditor.api_key;
\warn == API keys not used for 90 days
SELECT count(*) FROM auditor.api_keys_unused(90);
\warn == API keys that expire
SELECT count(*) FROM auditor.api_keys_expiring(30);
\warn == who can read this secret
SELECT count(*) FROM auditor.secret_readers(:'secret');
\warn == which secrets a principal can read
SELECT count(*) FROM auditor.principal_secrets(:'principal');
\warn == who can use this key
SELECT count(*) FROM auditor.key_users(:'key');
\warn == which keys a principal can use
SELECT count(*) FROM auditor.principal_keys(:'principal');
\warn == versions
SELECT count(*) FROM auditor.version;
\warn == versions that are old
SELECT count(*) FROM auditor.versions_old(30);
\warn == versions without protection
SELECT count(*) FROM auditor.versions_unprotected();
\warn == versions that expire
SELECT count(*) FROM auditor.versions_expiring(30);
\warn == changes after a cursor
SELECT count(*) FROM auditor.changes('1.' || :'change', 1000);
\warn == changes of the last day
SELECT count(*) FROM auditor.change WHERE at > now() - interval '1 day';
\warn == the end of the changes
SELECT auditor.changes_end();
\warn == whatever came from an address in the last day
SELECT count(*) FROM auditor.event WHERE ip <<= '192.0.2.7/32' AND at > now() - interval '1 day';
\warn == a page of the events of an organization, of 30 days
SELECT count(*) FROM auditor.event_page(:'organization', now() - interval '30 days', now(), false, NULL, NULL, 51,
                                        ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::rule.event_filter);
\warn == the oldest events of an organization, of 30 days
SELECT count(*) FROM auditor.event_page(:'organization', now() - interval '30 days', now(), true, NULL, NULL, 51,
                                        ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::rule.event_filter);
\warn == a page of the events of a secret, of 30 days
SELECT count(*) FROM auditor.event_page(:'organization', now() - interval '30 days', now(), false, NULL, NULL, 51,
                                        ROW(NULL, NULL, NULL, NULL, :'secret', NULL, NULL, NULL, NULL)::rule.event_filter);
\warn == the oldest events of a secret, of 30 days
SELECT count(*) FROM auditor.event_page(:'organization', now() - interval '30 days', now(), true, NULL, NULL, 51,
                                        ROW(NULL, NULL, NULL, NULL, :'secret', NULL, NULL, NULL, NULL)::rule.event_filter);
\warn == a page of the events of a principal, of 30 days
SELECT count(*) FROM auditor.event_page(:'organization', now() - interval '30 days', now(), false, NULL, NULL, 51,
                                        ROW(NULL, NULL, NULL, NULL, NULL, NULL, :'principal', NULL, NULL)::rule.event_filter);
\warn == the oldest events of a principal, of 30 days
SELECT count(*) FROM auditor.event_page(:'organization', now() - interval '30 days', now(), true, NULL, NULL, 51,
                                        ROW(NULL, NULL, NULL, NULL, NULL, NULL, :'principal', NULL, NULL)::rule.event_filter);
\warn == how far the seals are
SELECT * FROM daemon.audit_state();
