CREATE FUNCTION daemon.pepper_get()
RETURNS TABLE (root_id text, wrapped bytea)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT p.root_id, p.wrapped FROM store.pepper p
$$;
COMMENT ON FUNCTION daemon.pepper_get() IS
    'Gives the wrapped pepper; no row if nobody has made one yet.';

CREATE FUNCTION daemon.pepper_keep(new_root_id text, new_wrapped bytea)
RETURNS TABLE (root_id text, wrapped bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF rule.root_key_active() IS NULL OR rule.root_key_hold(new_root_id) THEN
        INSERT INTO store.pepper (root_id, wrapped) VALUES (new_root_id, new_wrapped)
            ON CONFLICT DO NOTHING;
        IF FOUND THEN       -- the first: from now on the database says which root key is active
            INSERT INTO store.root_key (id, active, activated_at)
            SELECT new_root_id, true, clock_timestamp() WHERE rule.root_key_active() IS NULL
                ON CONFLICT (id) DO UPDATE SET active = true, activated_at = excluded.activated_at;
        END IF;
    END IF;
    RETURN QUERY SELECT p.root_id, p.wrapped FROM store.pepper p;
END
$$;
COMMENT ON FUNCTION daemon.pepper_keep(text, bytea) IS
    'Keeps a new wrapped pepper if there is none; gives the one that is kept, even one of another '
    'daemon; no row if there is none, for the new one is not under the active root key. Where none '
    'is active, that of the first pepper becomes it.';
