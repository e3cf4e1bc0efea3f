-- The checks of health that the database can do by itself: /ready and /metrics warn of them, and
-- `coffer doctor` lists them. A new check is one more row.
CREATE FUNCTION rule.health()
RETURNS TABLE (name text, found text, fault text)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    -- Each daemon asks once a second: no check may look at more than a few rows.
    RETURN QUERY
        SELECT 'fsync', 'fsync ' || current_setting('fsync'),
               CASE WHEN current_setting('fsync') = 'off' THEN
               'fsync is off, so a power cut loses what was acknowledged: ALTER SYSTEM SET fsync = '
               'on' END
        UNION ALL
        SELECT 'full_page_writes', 'full_page_writes ' || current_setting('full_page_writes'),
               CASE WHEN current_setting('full_page_writes') = 'off' THEN
               'full_page_writes is off, so a power cut can damage the database: ALTER SYSTEM SET '
               'full_page_writes = on' END
        UNION ALL
        -- A role without pg_read_all_stats sees how many there are, but not which of them are
        -- synchronous.
        SELECT 'standby', format('%s connected, synchronous_standby_names %L', w.count,
                                 current_setting('synchronous_standby_names')),
               CASE WHEN w.count = 0 AND current_setting('synchronous_standby_names') <> '' THEN
               'no standby is connected, so commits wait: start the standby that '
               'synchronous_standby_names names, or empty that setting' END
          FROM (SELECT count(*) FROM pg_stat_get_wal_senders()) AS w
        UNION ALL
        SELECT 'release', m.found, m.fault FROM rule.release_mixed() AS m;
END
$$;
COMMENT ON FUNCTION rule.health() IS
    'Lists the checks of health that the database can do by itself: a short name, what was found, '
    'and what is wrong and how to mend it; null: nothing.';
