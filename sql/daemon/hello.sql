CREATE FUNCTION daemon.hello(instance uuid, build text, root_ids text[])
RETURNS TABLE (schema_version integer, faults text[], pepper_root_id text, pepper bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO store.instance AS i (id, build, root_ids)
    VALUES (instance, hello.build, hello.root_ids)
        ON CONFLICT (id) DO UPDATE SET build = excluded.build, root_ids = excluded.root_ids, seen_at = clock_timestamp();
    RETURN QUERY
        SELECT (SELECT max(m.number) FROM store.migration m), rule.session_faults() || rule.audit_faults(), p.root_id, p.wrapped
          FROM (VALUES (true)) AS one LEFT JOIN store.pepper p ON true;
END
$$;
COMMENT ON FUNCTION daemon.hello(uuid, text, text[]) IS
    'Greets a daemon on a new connection: the schema version, what is wrong with the settings of its role or with the audit (nothing may be), and the wrapped pepper, null if nobody has made one yet.';
