-- What a deploy leaves.
BEGIN;
\ir ../raised.sql

SELECT is(rule.manifest_faults(), '{}', 'rule.manifest_faults finds nothing after a deploy');
SET LOCAL quote_all_identifiers = on;
SET LOCAL DateStyle = 'SQL, DMY';
SET LOCAL IntervalStyle = iso_8601;
SET LOCAL TimeZone = 'Asia/Kolkata';
SET LOCAL bytea_output = escape;
SET LOCAL extra_float_digits = -15;
SET LOCAL standard_conforming_strings = off;
SELECT is(rule.manifest_faults(), '{}', 'nor in a session that prints definitions otherwise');
RESET quote_all_identifiers;
RESET DateStyle;
RESET IntervalStyle;
RESET TimeZone;
RESET bytea_output;
RESET extra_float_digits;
RESET standard_conforming_strings;
SELECT set_eq($$SELECT object FROM rule.manifest() WHERE object LIKE 'function %'$$,
              $$SELECT 'function ' || p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n
                  ON n.oid = p.pronamespace
                 WHERE nspname IN ('store', 'audit', 'fail', 'rule', 'endpoint', 'job', 'api',
                                   'daemon', 'operator', 'auditor')
                    OR nspname = 'crypto'
                    AND EXISTS (SELECT FROM pg_proc c
                                WHERE c.prosrc ~ format('\mcrypto[.]%s\M', p.proname))$$,
              'rule.manifest has every function, and of pgcrypto those that are called');
SELECT set_eq($$SELECT object FROM rule.manifest() WHERE object LIKE 'schema %'$$,
              '{schema api,schema pg_catalog,schema audit,schema auditor,schema crypto,schema '
              'daemon,schema endpoint,schema fail,schema job,schema operator,schema rule,schema '
              'store}'::text[],
              'every schema,');
SELECT is_empty($$SELECT object FROM rule.manifest() WHERE object LIKE '%event\_2%'$$,
                'and no partition, which come and go by themselves,');
SELECT set_eq($$SELECT object FROM rule.manifest()
              WHERE object !~ '^(function|type|view|table|sequence|schema|role|PostgreSQL) ?'$$,
              '{default privileges of coffer_owner,default privileges of '
              'coffer_exec,database}'::text[],
              'what is around them');
SELECT set_eq($$SELECT object FROM rule.manifest() WHERE object LIKE 'role %'$$,
              '{role coffer_owner,role coffer_exec,role coffer_api,role coffer_operator,role '
              'coffer_auditor,role coffer_migrate,'
              'role pg_write_all_data,role pg_write_server_files,role '
              'pg_execute_server_program}'::text[],
              'all roles of Coffer and those that may do what no right says,');
SELECT set_eq($$SELECT object FROM rule.manifest() WHERE object LIKE 'PostgreSQL%'$$,
              $$SELECT
                  unnest('{PostgreSQL''s functions,PostgreSQL''s functions from '
                         'scripts,PostgreSQL''s aggregates,PostgreSQL''s operators,PostgreSQL''s '
                         'operator classes,PostgreSQL''s operator families,PostgreSQL''s support '
                         'functions,PostgreSQL''s types,PostgreSQL''s casts,PostgreSQL''s access '
                         'methods,PostgreSQL''s collations,PostgreSQL''s conversions,PostgreSQL''s '
                         'languages}'::text[])
                 UNION ALL SELECT 'PostgreSQL ' || split_part(current_setting('server_version'),
                     '.', 1)$$,
              'and what PostgreSQL runs by itself');
SELECT is_empty($$SELECT sha256 FROM rule.manifest_builtin() WHERE sha256 IS NULL$$,
                'rule.manifest_builtin finds something of each');
SELECT is_empty($$SELECT * FROM rule.manifest_added('{}')$$,
                'rule.manifest_added finds nothing that somebody has added');
SELECT ok(job.audit_partition_create(20) > 0 AND rule.manifest_faults() = '{}',
          'a new partition has nothing of its own');
DO $$ BEGIN EXECUTE format('ALTER TABLE audit.%I ENABLE ROW LEVEL SECURITY',
                           rule.audit_partition(current_date)); END $$;
SELECT is(rule.manifest_faults(),
          ARRAY[format('what partition audit.%I has of its own was not deployed: undo it, or if it '
                       'was meant deploy with migrations/migrate, and ask who did that',
                       rule.audit_partition(current_date))],
          'if one has, that is named');
DO $$ BEGIN EXECUTE format('ALTER TABLE audit.%I DISABLE ROW LEVEL SECURITY',
                           rule.audit_partition(current_date)); END $$;
CREATE FUNCTION test.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER nothing BEFORE INSERT ON audit.event FOR EACH ROW EXECUTE FUNCTION test.nothing();
SELECT is(cardinality(rule.manifest_faults()), 2,
          'a trigger that partitions have from their parent is named once, with its function,');
DO $$ BEGIN EXECUTE format('ALTER TABLE audit.%I DISABLE TRIGGER nothing',
                           rule.audit_partition(current_date)); END $$;
SELECT is(cardinality(rule.manifest_faults()), 3, 'and a partition that has it switched off, too');
DROP TRIGGER nothing ON audit.event;

-- What an UPDATE of the catalogue switches off without a command that would.
CREATE FUNCTION test.updated(catalogue text, changed text,
                             which text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    v_faults text[];
BEGIN
    EXECUTE format('UPDATE pg_catalog.%I SET %s WHERE %s', catalogue, changed, which);
    v_faults := ARRAY(SELECT split_part(fault, ':', 1)
                      FROM unnest(rule.manifest_faults()) AS fault);
    RAISE EXCEPTION USING ERRCODE = 'SM000', DETAIL = v_faults;
EXCEPTION
    WHEN SQLSTATE 'SM000' THEN
        GET STACKED DIAGNOSTICS v_faults = PG_EXCEPTION_DETAIL;
        RETURN v_faults;
END
$$;
SELECT is(updated(catalogue, changed, which), ARRAY[fault], title)
  FROM (VALUES
    ('pg_class', 'relhastriggers = false', $$oid = 'store.secret'::regclass$$,
     'table store.secret is not as it was deployed', 'a table whose triggers are switched off'),
    ('pg_class', 'relhasindex = false', $$oid = 'store.kek'::regclass$$,
     'table store.kek is not as it was deployed', 'or its indexes'),
    ('pg_class', 'relchecks = 0', $$oid = 'store.kek'::regclass$$,
     'table store.kek is not as it was deployed', 'or its checks'),
    ('pg_class', 'relhasrules = false', $$oid = 'auditor.change'::regclass$$,
     'view auditor.change is not as it was deployed', 'or a view its rule'),
    ('pg_class', 'relrowsecurity = true', $$oid = 'store.kek'::regclass$$,
     'table store.kek is not as it was deployed', 'a table that hides rows'),
    ('pg_index', 'indisvalid = false', $$indexrelid = 'store.project_pkey'::regclass$$,
     'table store.project is not as it was deployed', 'an index that is not used'),
    ('pg_index', 'indisready = false', $$indexrelid = 'store.project_pkey'::regclass$$,
     'table store.project is not as it was deployed', 'or not written'),
    ('pg_index', 'indisunique = false', $$indexrelid = 'store.project_pkey'::regclass$$,
     'table store.project is not as it was deployed', 'or not unique'),
    ('pg_trigger', $$tgenabled = 'D'$$, $$tgrelid = 'store.secret'::regclass AND NOT tgisinternal$$,
     'table store.secret is not as it was deployed', 'a trigger that is switched off'),
    ('pg_constraint', 'convalidated = false', $$conrelid = 'store.kek'::regclass
     AND contype = 'f'$$,
     'table store.kek is not as it was deployed', 'a constraint that is not validated')
  ) AS t(catalogue, changed, which, fault, title);
SELECT is(updated('pg_index', changed,
                  format($$indexrelid = (SELECT i.indexrelid FROM pg_index i JOIN pg_inherits h
                                         ON h.inhrelid = i.indexrelid
                                          WHERE i.indrelid = 'audit.%s'::regclass LIMIT 1)$$,
                         rule.audit_partition(current_date))),
          ARRAY[format('what partition audit.%s has of its own was not deployed',
                       rule.audit_partition(current_date))],
          'an index of a partition with ' || changed)
  FROM unnest('{indisvalid = false,indisready = false,indisunique = true}'::text[]) AS changed;
SELECT is(rule.manifest_faults(), '{}', 'and nothing once it is undone');
SELECT is(rule.manifest_flags('store.secret'::regclass), NULL,
          'rule.manifest_flags finds nothing wrong');
CREATE FUNCTION pg_catalog.nothing() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION rule.nothing() RETURNS integer LANGUAGE sql AS 'SELECT 1';
UPDATE pg_proc SET oid = 16300 WHERE oid = 'pg_catalog.nothing()'::regprocedure;
UPDATE pg_proc SET oid = 16301 WHERE oid = 'rule.nothing()'::regprocedure;
SELECT is(rule.manifest_faults(), ARRAY[
              'PostgreSQL''s functions from scripts is not as it was deployed: undo it, or if it '
              'was meant deploy with migrations/migrate, and ask who did that',
              'function rule.nothing() was not deployed: deploy with migrations/migrate, and ask '
              'who did that'],
          'a function is found that has a number as initdb gives them');
DELETE FROM pg_proc WHERE oid IN (16300, 16301);
ALTER FUNCTION fail.integrity() RENAME TO was_integrity;
SELECT is(rule.manifest_faults(), ARRAY[
              'function fail.integrity() is gone: deploy with migrations/migrate, and ask who did '
              'that',
              'function fail.was_integrity() was not deployed: deploy with migrations/migrate, and '
              'ask who did that'],
          'what is gone and what has come is named');
ALTER FUNCTION fail.was_integrity() RENAME TO integrity;
SELECT is(rule.manifest_faults(), '{}', 'and forgotten when it is undone');
GRANT SELECT ON store.dek TO coffer_api;
SELECT is(rule.manifest_faults(),
          '{"table store.dek is not as it was deployed: undo it, or if it was meant deploy with '
          'migrations/migrate, and ask who did that"}',
          'a right too many is named');
REVOKE SELECT ON store.secret, store.version, store.kek, store.pepper, store.quota, store.project
    FROM coffer_exec;
SELECT is(cardinality(rule.manifest_faults()), 5, 'of many, five are');


-- Another major version of PostgreSQL: what it prints or brings otherwise is not compared, and all
-- else is.
CREATE FUNCTION test.brief() RETURNS text[] LANGUAGE sql AS $$
    SELECT ARRAY(SELECT split_part(fault, ':', 1) FROM unnest(rule.manifest_faults()) AS fault)
$$;
GRANT SELECT ON store.secret, store.version, store.kek, store.pepper, store.quota,
      store.project TO coffer_exec;
DELETE FROM store.manifest;
INSERT INTO store.manifest SELECT object, sha256 FROM rule.manifest();
UPDATE store.manifest SET object = 'PostgreSQL 14' WHERE object ~ '^PostgreSQL [0-9]+$';
UPDATE store.manifest SET sha256 = '' WHERE object ~ '^(PostgreSQL''s|view) ';
SELECT matches(rule.manifest_faults()::text,
               '^{"deployed under PostgreSQL 14, running under PostgreSQL [0-9]+: run '
               'migrations/migrate"}$',
               'a deploy under another major version is named, with its remedy');
CREATE ROLE friend;
GRANT coffer_migrate TO friend;
SELECT is((test.brief())[2:], '{role coffer_migrate is not as it was deployed}',
          'and what else has changed');

-- Rights, told in words that all major versions share.
SELECT is(rule.manifest_acl(NULL, 'f', 'coffer_exec'::regrole),
          '{=X/coffer_exec,coffer_exec=X/coffer_exec}',
          'rule.manifest_acl tells rights that nobody has given as those that there are');
SELECT is(rule.manifest_acl('{coffer_exec=r/coffer_owner}', 'r', 'coffer_owner'::regrole),
          '{coffer_exec=r/coffer_owner}', 'and all others');
SELECT isnt(rule.manifest_role('coffer_exec'::regrole), rule.manifest_role('coffer_owner'::regrole),
            'rule.manifest_role tells who has a role');

SELECT finish();
ROLLBACK;
