-- Keys that are wrapped under a root key that is no longer active. A daemon unwraps them with the
-- old one, wraps them under the active one and brings them back. The pepper has the id of zeros. A
-- key that signs seals has zeros and its own id of 8 bytes. The ids of all other keys are random,
-- and do not begin with zeros.

CREATE FUNCTION daemon.wrapped_due(after uuid, batch integer)
RETURNS TABLE (id uuid, project_id uuid, root_id text, wrapped bytea, active_root_id text,
               key_id uuid, rotation integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_active CONSTANT text := rule.root_key_active();
    v_zero   CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    RETURN QUERY
        SELECT v_zero, v_zero, p.root_id, p.wrapped, v_active, NULL::uuid, NULL::integer
          FROM store.pepper p
         WHERE p.root_id <> v_active AND after IS NULL
        UNION ALL
        SELECT rule.root_key_signer_uuid(s.id), v_zero, s.root_id, s.wrapped, v_active, NULL, NULL
          FROM store.signer s
         WHERE s.root_id <> v_active AND after IS NULL
        UNION ALL
        (SELECT k.id, k.project_id, k.root_id, k.wrapped, v_active, k.key_id, k.rotation
         FROM store.kek k
          WHERE k.root_id <> v_active AND (after IS NULL OR k.id > after)
          ORDER BY k.id LIMIT batch);
END
$$;
COMMENT ON FUNCTION daemon.wrapped_due(uuid, integer) IS
    'Gives what has to move to the active root key: the pepper and the keys that sign seals at '
    'the beginning, when after is null, and at most batch key-encryption keys with ids after that '
    'one.';

CREATE FUNCTION daemon.wrapped_keep(ids uuid[], old_root_ids text[], new_root_id text,
                                    new_wrapped bytea[])
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_keks    bigint;
    v_signers bigint;
    v_peppers bigint;
BEGIN
    IF NOT rule.root_key_hold(new_root_id) THEN
        RETURN 0;       -- another has become active meanwhile
    END IF;
    UPDATE store.kek k SET root_id = new_root_id, wrapped = new.wrapped
      FROM unnest(ids, old_root_ids, new_wrapped) AS new(id, old_root_id, wrapped)
     WHERE k.id = new.id AND k.root_id = new.old_root_id;
    GET DIAGNOSTICS v_keks = ROW_COUNT;
    UPDATE store.signer s SET root_id = new_root_id, wrapped = new.wrapped
      FROM unnest(ids, old_root_ids, new_wrapped) AS new(id, old_root_id, wrapped)
     WHERE rule.root_key_signer_uuid(s.id) = new.id AND s.root_id = new.old_root_id;
    GET DIAGNOSTICS v_signers = ROW_COUNT;
    UPDATE store.pepper p SET root_id = new_root_id, wrapped = new.wrapped
      FROM unnest(ids, old_root_ids, new_wrapped) AS new(id, old_root_id, wrapped)
     WHERE new.id = '00000000-0000-0000-0000-000000000000' AND p.root_id = new.old_root_id;
    GET DIAGNOSTICS v_peppers = ROW_COUNT;
    RETURN v_keks + v_signers + v_peppers;
END
$$;
COMMENT ON FUNCTION daemon.wrapped_keep(uuid[], text[], text, bytea[]) IS
    'Keeps keys that were wrapped anew under the active root key, those that nobody else has '
    'brought meanwhile; gives their number.';
