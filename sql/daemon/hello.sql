CREATE FUNCTION daemon.hello(instance uuid, build text, root_ids text[], seen jsonb DEFAULT NULL)
RETURNS TABLE (schema_version integer, faults text[], pepper_root_id text, pepper bytea,
               active_root_id text,
               lockout text, epoch integer, behind boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_root_key_faults CONSTANT text[] := rule.root_key_faults(hello.root_ids);
    v_seen_faults     CONSTANT text[] := daemon.seen_faults(hello.seen);
    v_faults          text[];
BEGIN
    PERFORM rule.session_pin();
    -- One that lacks a root key does not take those that it has shown, or does not even start: it
    -- is none that has them.
    IF v_root_key_faults = '{}' THEN
        INSERT INTO store.instance AS i (id, build, root_ids)
        VALUES (instance, hello.build, hello.root_ids)
            ON CONFLICT (id) DO UPDATE SET build = excluded.build, root_ids = excluded.root_ids,
                seen_at = clock_timestamp();
    END IF;
    PERFORM rule.root_key_see(hello.root_ids);
    v_faults := rule.release_faults(hello.build) || rule.database_faults() || rule.session_faults()
        || rule.audit_faults() || rule.manifest_faults() || v_root_key_faults;
    RETURN QUERY
        SELECT (SELECT max(m.number) FROM store.migration m), v_faults || v_seen_faults,
               p.root_id, p.wrapped, rule.root_key_active(), v_root_key_faults[1],
               (SELECT max(e.epoch) FROM audit.epoch e), v_faults = '{}' AND v_seen_faults <> '{}'
          FROM (VALUES (true)) AS one LEFT JOIN store.pepper p ON true;
END
$$;
COMMENT ON FUNCTION daemon.hello(uuid, text, text[], jsonb) IS
    'Handshake of a daemon on a new connection: the schema version, what is wrong with the '
    'database, with its role, with the audit, with what was deployed and with its root keys '
    '(nothing may be), the wrapped pepper, null if nobody has made one yet, the root key to wrap '
    'under, of the faults the first that is a root key missing, the epoch, and whether the only '
    'fault is that the database lacks what the daemon has seen of it.';
