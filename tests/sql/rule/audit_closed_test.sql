-- rule.audit_write: without its row, no answer.
BEGIN;
\ir ../setup.sql
GRANT USAGE ON SCHEMA test TO PUBLIC;

CREATE FUNCTION test.partition() RETURNS text LANGUAGE sql AS $$
    SELECT 'audit.' || rule.audit_partition(date_trunc('month', now() AT TIME ZONE 'UTC')::date)
$$;
CREATE FUNCTION test.raise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;

-- What comes of a read under a trouble, which is then over: the SQLSTATE, or the answer.
CREATE FUNCTION test.read_while(trouble text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE trouble;
    RETURN (test.call('secret_version_access', 'ready', '1')).text;
EXCEPTION
    WHEN OTHERS THEN
        RETURN SQLSTATE;
END
$$;

SELECT is(read_while(trouble), sqlstate, 'there is no value ' || title)
  FROM (VALUES ('REVOKE INSERT ON audit.event FROM coffer_exec', '42501', 'without the right to insert'),
               ('REVOKE USAGE ON SEQUENCE audit.event_id FROM coffer_exec', '42501', 'without the right to an id'),
               ('REVOKE SELECT ON audit.epoch FROM coffer_exec', '42501', 'without an epoch'),
               ('DROP TABLE ' || partition(), '23514', 'without a partition'),
               ('ALTER TABLE audit.event DETACH PARTITION ' || partition(), '23514', 'with the partition detached'),
               ('CREATE TRIGGER stop BEFORE INSERT ON ' || partition() || ' FOR EACH ROW EXECUTE FUNCTION test.raise()', 'P0001',
                'with a trigger that raises'),
               ('ALTER TABLE ' || partition() || ' ADD CHECK (status <> 200) NOT VALID', '23514', 'with a constraint that is not met'),
               ('SET LOCAL transaction_read_only = on', '25006', 'in a read-only transaction')) AS t(trouble, sqlstate, title);
SELECT isnt(read_while('SELECT'), NULL, 'there is one again when it is over');
SELECT is(audited(), 'secret_version_access 200 by owner on ready/1 in main', 'with its row');

SELECT finish();
ROLLBACK;
