CREATE FUNCTION job.run(batch integer DEFAULT 100)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Every instance calls this on its timer; the one that comes first does the work, the others go home.
    IF NOT pg_try_advisory_xact_lock(x'C0FFE2'::integer, 1) THEN
        RETURN 0;
    END IF;
    RETURN job.version_expire(batch) + job.version_warn(batch) + job.secret_purge(batch) + job.version_purge(batch)
        + job.key_purge(batch) + job.kek_purge(batch) + job.request_expire(batch) + job.instance_expire(batch)
        + job.audit_partition_create();
END
$$;
COMMENT ON FUNCTION job.run(integer) IS
    'Does all background work that is due, at most batch secrets or keys of each kind; gives the number of things done, 0 if another instance is at it.';
