CREATE FUNCTION job.list()
RETURNS SETOF text
LANGUAGE sql IMMUTABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    -- Partitions first: without that of today nothing else can write its audit row.
    SELECT unnest('{audit_partition_create,version_expire,version_warn,secret_purge,version_purge,
                    key_purge,kek_purge,request_expire,instance_expire}'::text[])
$$;
COMMENT ON FUNCTION job.list() IS
    'Gives the names of all jobs, in the order in which they run. SELECT format(''SELECT '
    'job.run(%L)'', name) FROM job.list() AS name \gexec runs each in a transaction of its own in '
    'psql.';
