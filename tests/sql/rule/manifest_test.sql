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
              $$SELECT 'function ' || p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                 WHERE nspname IN ('store', 'audit', 'fail', 'rule', 'endpoint', 'job', 'api', 'daemon', 'operator', 'auditor', 'crypto')$$,
              'rule.manifest has every function');
SELECT set_eq($$SELECT object FROM rule.manifest() WHERE object LIKE 'schema %'$$,
              '{schema api,schema audit,schema auditor,schema crypto,schema daemon,schema endpoint,schema fail,schema job,schema operator,schema rule,schema store}'::text[],
              'every schema,');
SELECT is_empty($$SELECT object FROM rule.manifest() WHERE object LIKE '%event\_2%'$$,
                'and no partition, which come and go by themselves,');
SELECT set_eq($$SELECT object FROM rule.manifest() WHERE object !~ '^(function|type|view|table|sequence|schema) '$$,
              '{role coffer_owner,role coffer_exec,role coffer_api,default privileges of coffer_owner,default privileges of coffer_exec,database}'::text[],
              'but what is around them');
SELECT ok(job.audit_partition_create(20) > 0 AND rule.manifest_faults() = '{}', 'a new partition has nothing of its own');
DO $$ BEGIN EXECUTE format('ALTER TABLE audit.%I ENABLE ROW LEVEL SECURITY', rule.audit_partition(current_date)); END $$;
SELECT is(rule.manifest_faults(),
          ARRAY[format('what partition audit.%I has of its own was not deployed: undo it, or if it was meant deploy with migrations/migrate, and ask who did that',
                       rule.audit_partition(current_date))],
          'if one has, that is named');
DO $$ BEGIN EXECUTE format('ALTER TABLE audit.%I DISABLE ROW LEVEL SECURITY', rule.audit_partition(current_date)); END $$;
CREATE FUNCTION test.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER nothing BEFORE INSERT ON audit.event FOR EACH ROW EXECUTE FUNCTION test.nothing();
SELECT is(cardinality(rule.manifest_faults()), 1, 'a trigger that partitions have from their parent is named once,');
DO $$ BEGIN EXECUTE format('ALTER TABLE audit.%I DISABLE TRIGGER nothing', rule.audit_partition(current_date)); END $$;
SELECT is(cardinality(rule.manifest_faults()), 2, 'and a partition that has it switched off, too');
DROP TRIGGER nothing ON audit.event;
ALTER FUNCTION fail.integrity() RENAME TO was_integrity;
SELECT is(rule.manifest_faults(), ARRAY[
              'function fail.integrity() is gone: deploy with migrations/migrate, and ask who did that',
              'function fail.was_integrity() was not deployed: deploy with migrations/migrate, and ask who did that'],
          'what is gone and what has come is named');
ALTER FUNCTION fail.was_integrity() RENAME TO integrity;
SELECT is(rule.manifest_faults(), '{}', 'and forgotten when it is undone');
GRANT SELECT ON store.dek TO coffer_api;
SELECT is(rule.manifest_faults(),
          '{"table store.dek is not as it was deployed: undo it, or if it was meant deploy with migrations/migrate, and ask who did that"}',
          'a right too many is named');
REVOKE SELECT ON store.secret, store.version, store.kek, store.pepper, store.quota, store.project FROM coffer_exec;
SELECT is(cardinality(rule.manifest_faults()), 5, 'of many, five are');

SELECT finish();
ROLLBACK;
