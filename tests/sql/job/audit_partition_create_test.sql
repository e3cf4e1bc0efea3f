BEGIN;
\ir ../setup.sql

-- The month that is so many from this one, as the name of its partition.
CREATE FUNCTION test.partition(months integer) RETURNS text LANGUAGE sql AS $$
    SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + months * interval '1 month',
                   '"audit.event_"YYYY_MM')
$$;

SET LOCAL TimeZone = 'UTC';
SELECT is(job.audit_partition_create(), 0::bigint,
          'a deploy has made all partitions up to a year ahead');

-- New ones ------------------------------------------------------------------------------

SET SESSION AUTHORIZATION coffer_api;
SELECT job.audit_partition_create(14) AS made \gset
RESET SESSION AUTHORIZATION;
SELECT is(:made, 2, 'job.audit_partition_create makes what is missing, and gives the number');
SELECT is_empty($$SELECT mode FROM pg_locks WHERE pid = pg_backend_pid()
                     AND relation = 'audit.event'::regclass
                     AND mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock',
                                      'ShareUpdateExclusiveLock')$$,
                'without a lock on the audit that a call would have to wait for');
SELECT is(format('%s of %s %s', inhparent::regclass, relowner::regrole,
                 pg_get_expr(relpartbound, inhrelid)),
          format('audit.event of coffer_owner FOR VALUES FROM (%L) TO (%L)', start || '+00',
                 start + interval '1 month' || '+00'), 'for the month ' || months)
  FROM generate_series(13, 14) AS months,
       LATERAL (SELECT date_trunc('month',
                                  now() AT TIME ZONE 'UTC') + months * interval '1 month')
                                      AS t(start),
       pg_inherits, pg_class c WHERE inhrelid = partition(months)::regclass AND c.oid = inhrelid;
SELECT is_empty($$SELECT inhrelid::regclass FROM pg_inherits
                WHERE inhparent = 'audit.event'::regclass
                     AND (SELECT count(*) FROM pg_index WHERE indrelid = inhrelid)
                         <> (SELECT count(*) FROM pg_index WHERE indrelid = inhparent)$$,
                'with all indexes of the audit');
SELECT is_empty($$SELECT inhrelid::regclass FROM pg_inherits
                WHERE inhparent = 'audit.event'::regclass
                     AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = inhrelid
                                     AND contype = 'c')$$,
                'and its constraints');
SELECT is_empty($$SELECT format('%s: %s', inhrelid::regclass, role) FROM pg_inherits,
                         unnest('{coffer_exec,coffer_api,coffer_operator,coffer_auditor}'::text[])
                             AS role
                   WHERE inhparent = 'audit.event'::regclass
                     AND has_table_privilege(role, inhrelid,
                                             'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')$$,
                'nobody has rights on a partition itself');

-- One that is missing among others ---------------------------------------------------------

SELECT partition(6) AS missing \gset
DROP TABLE :missing;
SELECT is(job.audit_partition_create(), 1::bigint,
          'a partition that is missing among others is made again');
SELECT isnt(to_regclass(:'missing'), NULL, 'and no other');
SELECT is(job.audit_partition_create(), 0::bigint, 'once');

-- Neither the time zone of the session moves a month, nor one whose name is that of two, in a style
-- that names it.
DROP TABLE :missing;
SET LOCAL TimeZone = 'Asia/Kolkata';
SET LOCAL DateStyle = 'SQL, DMY';
SELECT job.audit_partition_create() \g /dev/null
RESET DateStyle;
SET LOCAL TimeZone = 'UTC';
SELECT is(pg_get_expr(relpartbound, oid),
          format('FOR VALUES FROM (%L) TO (%L)',
                 date_trunc('month', now() AT TIME ZONE 'UTC') + interval '6 months' || '+00',
                                                 date_trunc('month', now() AT TIME ZONE 'UTC')
                                                     + interval '7 months' || '+00'),
          'months are those of UTC')
  FROM pg_class WHERE oid = :'missing'::regclass;

SELECT finish();
ROLLBACK;
