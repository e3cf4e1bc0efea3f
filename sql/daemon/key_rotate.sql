CREATE FUNCTION daemon.key_rotate_due(batch integer)
RETURNS TABLE (key_id uuid, project_id uuid, active_root_id text, rotation integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now    CONSTANT timestamptz := clock_timestamp();
    v_active CONSTANT text := rule.root_key_active();
BEGIN
    RETURN QUERY
        SELECT k.id, k.project_id, v_active, k.rotation_count + 1 FROM store.managed_key k
         WHERE k.enabled AND k.deletion_requested_at IS NULL AND k.next_rotation_at <= v_now
         ORDER BY k.next_rotation_at LIMIT batch;
END
$$;
COMMENT ON FUNCTION daemon.key_rotate_due(integer) IS
    'Gives at most batch enabled managed keys whose rotation is due by their policy, the most '
    'overdue first, with the number that the next rotation has, and the root key to wrap new '
    'material under.';

CREATE FUNCTION daemon.key_rotate(key_id uuid, kek_id uuid, root_id text, wrapped bytea,
                                  rotation integer DEFAULT NULL)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now CONSTANT timestamptz := clock_timestamp();
    v_key store.managed_key;
BEGIN
    SELECT k.* INTO v_key FROM store.managed_key k
     WHERE k.id = key_rotate.key_id AND k.enabled AND k.deletion_requested_at IS NULL
       AND k.next_rotation_at <= v_now
       FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND OR key_rotate.rotation <> v_key.rotation_count + 1
        OR NOT rule.root_key_hold(key_rotate.root_id) THEN
        RETURN false;
    END IF;
    PERFORM rule.managed_key_rotate(v_key, key_rotate.kek_id, key_rotate.root_id,
                                    key_rotate.wrapped);
    UPDATE store.managed_key k
       SET next_rotation_at = rule.rotation_policy_next(k.next_rotation_at, k.rotation_period)
     WHERE k.id = v_key.id;
    PERFORM rule.audit_write_job('job.key_rotate', v_key,
                                 jsonb_build_object('rotation', v_key.rotation_count + 1));
    RETURN true;
END
$$;
COMMENT ON FUNCTION daemon.key_rotate(uuid, uuid, text, bytea, integer) IS
    'Gives a managed key whose rotation is due a new one, with material that is wrapped for it '
    'and under the active root key; false if it is for another rotation (null: a daemon of an '
    'earlier release does not say) or under another root key, if the key is no longer due, or if '
    'somebody else is at it.';
