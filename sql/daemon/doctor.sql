CREATE FUNCTION daemon.doctor(root_ids text[], pool_size integer)
RETURNS TABLE (what text, found text, fault text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_months integer := 0;
    v_audit  record;
    -- Where no daemon runs, nothing is sealed; and for three minutes one that was stopped is taken
    -- for one that runs.
    v_runs   CONSTANT boolean := EXISTS (SELECT FROM rule.instance_live);
    v_free   CONSTANT integer := current_setting('max_connections')::integer
                                 - current_setting('superuser_reserved_connections')::integer;
BEGIN
    PERFORM rule.session_pin();      -- as daemon.hello does for sessions that serve
    RETURN QUERY SELECT 'schema', 'version ' || max(m.number), NULL::text FROM store.migration m;
    RETURN QUERY SELECT 'encoding', current_setting('server_encoding'), f.text
                   FROM (VALUES (true)) AS one LEFT JOIN unnest(rule.database_faults()) AS f(text)
                        ON true;
    RETURN QUERY SELECT 'role settings',
        format('%s of %s', cardinality(rule.session_faults()), session_user), f.text
                   FROM (VALUES (true)) AS one LEFT JOIN unnest(rule.session_faults()) AS f(text)
                        ON true;
    RETURN QUERY SELECT 'deploy', 'all as it was left', f.text
                   FROM (VALUES (true)) AS one LEFT JOIN unnest(rule.manifest_faults()) AS f(text)
                        ON true;
    RETURN QUERY SELECT 'keys', 'all that are needed are loaded', f.text
                   FROM (VALUES (true)) AS one
                   LEFT JOIN unnest(rule.root_key_faults(root_ids)) AS f(text) ON true;
    WHILE to_regclass(to_char(now() AT TIME ZONE 'UTC' + v_months * interval '1 month',
                              '"audit.event_"YYYY_MM')) IS NOT NULL LOOP
        v_months := v_months + 1;
    END LOOP;
    RETURN QUERY SELECT 'audit partitions', format('for %s months', v_months),
        CASE WHEN v_months < 3 THEN
        'no partition for the time to come: SELECT job.audit_partition_create(), and see why the '
        'job does not do it' END;
    SELECT * INTO v_audit FROM daemon.audit_state();
    RETURN QUERY SELECT 'audit seals',
        format('%s rows without, the oldest of %s s', v_audit.unsealed, v_audit.seal_lag),
                        CASE WHEN v_runs AND v_audit.seal_lag > 180 THEN
        format('the audit of the last %s s is not sealed: see the logs of daemons, and end '
               'whatever transaction of the cluster is open: '
               'SELECT * FROM pg_stat_activity WHERE backend_xid IS NOT NULL; SELECT * FROM '
               'pg_prepared_xacts', v_audit.seal_lag) END;
    RETURN QUERY SELECT 'audit anchors',
        format('%s seals without, the oldest of %s s', v_audit.unanchored, v_audit.anchor_lag),
                        CASE WHEN v_runs AND v_audit.anchor_lag > 180 THEN
        format('the seals of the last %s s have not left the database: see whether there is room '
               'for the logs of daemons, and what these say of '
               'anchor_command and syslog',
               v_audit.anchor_lag) END;
    RETURN QUERY SELECT 'connections', format('%s wanted of %s', pool_size, v_free),
        CASE WHEN pool_size > v_free THEN
        'more are wanted than there are: lower pool_size, or set a higher max_connections' END;
    RETURN QUERY SELECT h.name, h.found, h.fault FROM rule.health() AS h;
END
$$;
COMMENT ON FUNCTION daemon.doctor(text[], integer) IS
    'Examines the database for a daemon with these root keys and as many connections: what was '
    'found, and what is wrong with it and how it is mended; null: nothing.';
