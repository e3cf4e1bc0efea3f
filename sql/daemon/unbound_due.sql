CREATE FUNCTION daemon.unbound_due(after uuid, batch integer, instance uuid)
RETURNS TABLE (id uuid, project_id uuid, root_id text, wrapped bytea, active_root_id text,
               key_id uuid, rotation integer)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_active CONSTANT text := rule.root_key_active();
    v_zero   CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    UPDATE store.instance i SET binds = true WHERE i.id = unbound_due.instance AND NOT i.binds;
    IF EXISTS (SELECT FROM rule.instance_live i WHERE NOT i.binds) THEN
        RETURN;
    END IF;
    RETURN QUERY
        SELECT v_zero, v_zero, p.root_id, p.wrapped, v_active, NULL::uuid, NULL::integer
          FROM store.pepper p
         WHERE after IS NULL
        UNION ALL
        (SELECT k.id, k.project_id, k.root_id, k.wrapped, v_active, k.key_id, k.rotation
         FROM store.kek k
          WHERE after IS NULL OR k.id > after
          ORDER BY k.id LIMIT batch);
END
$$;
COMMENT ON FUNCTION daemon.unbound_due(uuid, integer, uuid) IS
    'Gives all keys that may be wrapped as earlier releases did: the pepper at the beginning, '
    'when after is null, and at most batch key-encryption keys with ids after that one. Only a '
    'daemon can tell which of them are. No row while a daemon runs that unwraps no others.';
