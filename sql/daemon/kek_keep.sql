CREATE FUNCTION daemon.kek_keep(project_id uuid, new_id uuid, new_root_id text, new_wrapped bytea)
RETURNS TABLE (kek_id uuid, root_id text, wrapped bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF rule.root_key_hold(new_root_id) THEN
        INSERT INTO store.kek AS k (id, project_id, root_id, wrapped)
        VALUES (new_id, kek_keep.project_id, new_root_id, new_wrapped)
            ON CONFLICT DO NOTHING;
    END IF;
    RETURN QUERY SELECT k.id, k.root_id, k.wrapped FROM store.kek k
                  WHERE k.project_id = kek_keep.project_id AND k.key_id IS NULL AND k.active;
END
$$;
COMMENT ON FUNCTION daemon.kek_keep(uuid, uuid, text, bytea) IS
    'Keeps a new wrapped key-encryption key if the project has none; gives the one that is kept, whoever made it; no row if there is none, for the new one is not under the active root key.';
