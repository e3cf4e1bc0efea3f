-- The key-encryption keys of projects: the first of each, and others in their place.

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
    'Keeps a new wrapped key-encryption key if the project has none; gives the one that is kept, '
    'even one of another daemon; no row if there is none, for the new one is not under the active '
    'root key.';

CREATE FUNCTION daemon.kek_due(after uuid, batch integer)
RETURNS TABLE (kek_id uuid, project_id uuid, active_root_id text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_active CONSTANT text := rule.root_key_active();
BEGIN
    RETURN QUERY
        SELECT k.id, k.project_id, v_active FROM store.kek k
         WHERE k.active AND k.rotate_requested_at IS NOT NULL AND (after IS NULL OR k.id > after)
         ORDER BY k.id LIMIT batch;
END
$$;
COMMENT ON FUNCTION daemon.kek_due(uuid, integer) IS
    'Gives at most batch key-encryption keys, with ids after that one, in whose place an operator '
    'wants new ones, and the root key to wrap those under.';

CREATE FUNCTION daemon.kek_replace(old_ids uuid[], new_ids uuid[], new_root_id text,
                                   new_wrapped bytea[])
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_new   record;
    v_count bigint := 0;
BEGIN
    IF NOT rule.root_key_hold(new_root_id) THEN
        RETURN 0;       -- another has become active meanwhile
    END IF;
    FOR v_new IN
        SELECT k.id AS old_id, k.project_id, new.id, new.wrapped
          FROM unnest(old_ids, new_ids, new_wrapped) AS new(old_id, id, wrapped)
          JOIN store.kek k ON k.id = new.old_id
         WHERE k.active AND k.rotate_requested_at IS NOT NULL
         ORDER BY k.id
           FOR NO KEY UPDATE OF k SKIP LOCKED
    LOOP
        UPDATE store.kek k SET active = false, rotate_requested_at = NULL WHERE k.id = v_new.old_id;
        INSERT INTO store.kek (id, project_id, root_id, wrapped)
        VALUES (v_new.id, v_new.project_id, new_root_id, v_new.wrapped);
        v_count := v_count + 1;
    END LOOP;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION daemon.kek_replace(uuid[], uuid[], text, bytea[]) IS
    'Puts new key-encryption keys, wrapped under the active root key, in the place of those that '
    'are still to be replaced; gives their number. The old ones stay until nothing is under them.';
