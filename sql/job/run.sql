CREATE FUNCTION job.run(name text, batch integer DEFAULT 100)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rule.session_require_plain();
    -- Every instance calls this on its timer; the one that comes first does the work, the others go
    -- home.
    IF NOT pg_try_advisory_xact_lock(x'C0FFE2'::integer, 1) THEN
        RETURN NULL;
    END IF;
    CASE name
        WHEN 'audit_partition_create' THEN RETURN job.audit_partition_create();
        WHEN 'version_expire'         THEN RETURN job.version_expire(batch);
        WHEN 'version_warn'           THEN RETURN job.version_warn(batch);
        WHEN 'secret_purge'           THEN RETURN job.secret_purge(batch);
        WHEN 'version_purge'          THEN RETURN job.version_purge(batch);
        WHEN 'key_purge'              THEN RETURN job.key_purge(batch);
        WHEN 'kek_purge'              THEN RETURN job.kek_purge(batch);
        WHEN 'request_expire'         THEN RETURN job.request_expire(batch);
        WHEN 'instance_expire'        THEN RETURN job.instance_expire(batch);
        ELSE PERFORM fail.operation_refused('there is no such job', 'SELECT job.list()');
    END CASE;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION job.run(text, integer) IS
    'Does what is due of one job, at most batch secrets, versions or keys; gives the number of '
    'things done, null if another instance runs a job.';

CREATE FUNCTION job.run(batch integer)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_done bigint := 0;
    v_name text;
BEGIN
    FOR v_name IN SELECT l FROM job.list() AS l LOOP
        v_done := v_done + coalesce(job.run(v_name, batch), 0);
    END LOOP;
    RETURN v_done;
END
$$;
COMMENT ON FUNCTION job.run(integer) IS
    'Does what is due of all jobs in one transaction, as daemons of 0.1.0 ask for it until they '
    'are replaced; gives the number of things done.';
