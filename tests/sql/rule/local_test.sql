-- rule.local_require: what migrations/local.sql may declare, and what is refused by name.
BEGIN;
\ir ../raised.sql
CREATE ROLE cdc;

-- What is said of a statement in local.sql, which is undone.
CREATE FUNCTION test.declared(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_before CONSTANT jsonb := rule.local_before();
    v_said   text;
BEGIN
    EXECUTE statement;
    SELECT string_agg(declared, E'\n') INTO v_said FROM rule.local_require(v_before) AS declared;
    RAISE EXCEPTION 'undo';
EXCEPTION
    WHEN sqlstate 'SM900' THEN RETURN sqlerrm;
    WHEN raise_exception THEN RETURN v_said;
END
$$;

SELECT is(test.declared(statement), said, statement)
  FROM (VALUES
    ('SELECT 1', NULL),
    ('GRANT SELECT ON audit.event TO cdc', 'SELECT on audit.event to cdc'),
    ('GRANT SELECT (revision, status) ON store.version TO cdc',
     E'SELECT (revision) on store.version to cdc\nSELECT (status) on store.version to cdc'),
    ('GRANT USAGE ON SCHEMA audit TO cdc', 'USAGE on schema audit to cdc'),
    ('CREATE INDEX spare ON store.secret (description)',
     'index store.spare on store.secret USING btree (description)')) AS allowed(statement, said);

SELECT alike(test.declared(statement), 'local.sql may not change this:%' || said || '%', statement)
  FROM (VALUES
    ('CREATE TRIGGER spy AFTER DELETE ON store.version
      EXECUTE FUNCTION store.secret_count_change()',
     'trigger spy on store.version'),
    ('ALTER TABLE store.secret DISABLE TRIGGER USER',
     'trigger secret\_count\_'),
    ('CREATE RULE spy AS ON DELETE TO store.secret DO INSTEAD NOTHING',
     'rule spy on store.secret'),
    ('ALTER TABLE store.secret ENABLE ROW LEVEL SECURITY',
     'table store.secret: is not as it was'),
    ('CREATE POLICY spy ON store.secret USING (true)',
     'policy spy on store.secret'),
    ('CREATE FUNCTION rule.spy() RETURNS integer LANGUAGE sql AS ''SELECT 1''',
     'function rule.spy()'),
    ('CREATE OR REPLACE FUNCTION rule.release() RETURNS text
      LANGUAGE sql IMMUTABLE AS ''SELECT NULL::text''',
     'function rule.release(): is not as it was'),
    ('DROP FUNCTION daemon.orphans()',
     'function daemon.orphans(): is gone'),
    ('GRANT EXECUTE ON FUNCTION rule.manifest() TO cdc',
     'function rule.manifest()'),
    ('CREATE VIEW store.spy AS SELECT * FROM store.version',
     'view store.spy'),
    ('CREATE TABLE store.spy (i integer)',
     'table store.spy'),
    ('ALTER TABLE store.secret ADD COLUMN spy integer',
     'table store.secret'),
    ('ALTER TABLE store.secret ADD CHECK (name <> ''spy'')',
     'constraint secret\_name\_check on store.secret'),
    ('CREATE UNIQUE INDEX spy ON store.secret (description)',
     'index store.spy'),
    ('CREATE INDEX spy ON store.secret (lower(name))',
     'index store.spy'),
    ('CREATE INDEX spy ON store.version (sealed)',
     'index store.spy'),
    ('GRANT SELECT ON store.version TO cdc',
     'SELECT on store.version to'),
    ('GRANT SELECT (sealed) ON store.version TO cdc',
     'SELECT (sealed) on store.version to'),
    ('GRANT SELECT ON store.dek TO cdc',
     'SELECT on store.dek to'),
    ('GRANT SELECT ON store.kek TO cdc',
     'SELECT on store.kek to'),
    ('GRANT SELECT (wrapped) ON store.pepper TO cdc',
     'SELECT (wrapped) on store.pepper to'),
    ('GRANT SELECT ON store.signer TO cdc',
     'SELECT on store.signer to'),
    ('GRANT SELECT (digest) ON store.api_key TO cdc',
     'SELECT (digest) on store.api\_key to'),
    ('GRANT INSERT ON audit.event TO cdc',
     'INSERT on audit.event to'),
    ('GRANT DELETE ON store.request TO cdc',
     'DELETE on store.request to'),
    ('GRANT TRIGGER ON store.secret TO cdc',
     'TRIGGER on store.secret to'),
    ('GRANT UPDATE (name) ON store.project TO cdc',
     'UPDATE (name) on store.project to'),
    ('GRANT SELECT ON store.project TO PUBLIC',
     'SELECT on store.project to PUBLIC'),
    ('GRANT SELECT ON store.project TO cdc WITH GRANT OPTION',
     'with grant option'),
    ('GRANT SELECT ON audit.event TO coffer_exec',
     'SELECT on audit.event to coffer\_exec'),
    ('GRANT CREATE ON SCHEMA store TO cdc',
     'CREATE on schema store to'),
    ('GRANT USAGE ON SCHEMA rule TO cdc',
     'USAGE on schema rule to'),
    ('REVOKE SELECT ON store.secret FROM coffer_exec',
     'SELECT on store.secret to coffer\_exec: is gone'),
    ('ALTER DEFAULT PRIVILEGES FOR ROLE coffer_owner GRANT SELECT ON TABLES TO cdc',
     'default privileges')) AS refused(statement, said);

SELECT finish();
ROLLBACK;
