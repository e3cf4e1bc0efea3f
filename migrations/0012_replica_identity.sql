-- Each table tells a subscriber which row has changed. Under a publication of all tables PostgreSQL refuses to change or
-- delete rows of a table that does not. A primary key does; these two have none. Rows of the audit are only ever inserted,
-- which costs nothing more.
ALTER TABLE store.policy_rule REPLICA IDENTITY FULL;

DO $$
DECLARE
    v_table regclass;
BEGIN
    FOR v_table IN
        SELECT 'audit.event'::regclass
        UNION ALL
        SELECT h.inhrelid FROM pg_catalog.pg_inherits h WHERE h.inhparent = 'audit.event'::regclass
    LOOP
        EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', v_table);
    END LOOP;
END
$$;
