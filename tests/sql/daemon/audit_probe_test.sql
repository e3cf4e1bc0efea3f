BEGIN;
\ir ../setup.sql

SELECT count(*) AS before FROM audit.event \gset
SET SESSION AUTHORIZATION coffer_api;
SELECT daemon.audit_probe() AS written \gset
RESET SESSION AUTHORIZATION;
SELECT is(:'written'::text, 't', 'daemon.audit_probe can write to the audit');
SELECT is(count(*), :before::bigint, 'and leaves no row') FROM audit.event;

CREATE FUNCTION test.probe_while(trouble text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE trouble;
    RETURN daemon.audit_probe()::text;
EXCEPTION
    WHEN OTHERS THEN
        RETURN SQLSTATE;
END
$$;
SELECT is(probe_while(trouble), sqlstate, 'it fails ' || title)
  FROM (VALUES ('REVOKE INSERT ON audit.event FROM coffer_exec', '42501',
                'without the right to insert'),
               ('DROP TABLE audit.' || rule.audit_partition(date_trunc('month',
                   now() AT TIME ZONE 'UTC')::date), '23514', 'without a partition'),
               ('SET LOCAL transaction_read_only = on', '25006', 'in a read-only transaction'))
                   AS t(trouble, sqlstate, title);
SELECT is(probe_while('SELECT'), 'true', 'and not when that is over');

SELECT finish();
ROLLBACK;
