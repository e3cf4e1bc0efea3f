CREATE VIEW operator.root_key AS
    SELECT r.id,
           CASE WHEN r.active THEN 'active' WHEN r.retired_at IS NOT NULL THEN 'retired'
               ELSE 'loaded' END AS state,
           r.first_seen_at, r.activated_at, r.retired_at,
           (SELECT count(*) FROM rule.root_key_use u WHERE u.root_id = r.id) AS wraps,
           (SELECT count(*) FROM rule.instance_live i WHERE r.id = ANY (i.root_ids)) AS instances,
           (SELECT count(*) FROM rule.instance_live i WHERE r.id <> ALL (i.root_ids))
               AS instances_without
      FROM store.root_key r;
COMMENT ON VIEW operator.root_key IS
    'The root keys that daemons have had: how much is wrapped under each, and how many running '
    'daemons have it and have it not.';

CREATE FUNCTION operator.root_key_activate(root_id text)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_key     store.root_key;
    v_without text;
    v_before  text;
BEGIN
    PERFORM FROM store.root_key r ORDER BY r.id FOR UPDATE;
    SELECT * INTO v_key FROM store.root_key r WHERE r.id = root_key_activate.root_id;
    SELECT string_agg(i.id::text, ', ' ORDER BY i.id) INTO v_without
      FROM rule.instance_live i WHERE root_key_activate.root_id <> ALL (i.root_ids);
    IF v_key.id IS NULL THEN
        PERFORM fail.operation_refused('no daemon has had this root key',
                                       'load it in every daemon and send SIGHUP');
    ELSIF v_key.active THEN
        RETURN;
    ELSIF v_key.retired_at IS NOT NULL THEN
        PERFORM fail.operation_refused('this root key is retired',
                                       'make a new one: coffer root-key generate');
    ELSIF v_without IS NOT NULL THEN
        PERFORM fail.operation_refused('running daemons do not have this root key: ' || v_without,
                                       'load it there and send SIGHUP; one that is gone counts '
                                       'for three minutes');
    END IF;
    UPDATE store.root_key r SET active = false WHERE r.active RETURNING r.id INTO v_before;
    UPDATE store.root_key r SET active = true, activated_at = clock_timestamp()
    WHERE r.id = v_key.id;
    PERFORM rule.audit_write_operator('operator.root_key_activate', NULL, NULL, NULL,
                                      jsonb_build_object('root_id', v_key.id,
                                                         'before',
                                                             jsonb_build_object('root_id',
                                                                 v_before)));
END
$$;
COMMENT ON FUNCTION operator.root_key_activate(text) IS
    'Makes a root key, which every running daemon must have, the one under which all is wrapped; '
    'daemons then move what is under others. Again: nothing.';

CREATE FUNCTION operator.root_key_retire(root_id text)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_key  store.root_key;
    v_left bigint;
BEGIN
    -- Lock before you look: what is being wrapped under it has come by then, and nothing more
    -- comes.
    SELECT * INTO v_key FROM store.root_key r WHERE r.id = root_key_retire.root_id FOR UPDATE;
    SELECT count(*) INTO v_left FROM rule.root_key_use u WHERE u.root_id = root_key_retire.root_id;
    IF v_key.id IS NULL THEN
        PERFORM fail.operation_refused('no daemon has had this root key',
                                       'operator.root_key has those that are known');
    ELSIF v_key.retired_at IS NOT NULL AND v_left = 0 THEN
        RETURN;
    ELSIF v_key.active THEN
        PERFORM fail.operation_refused('this root key is active', 'activate another one first');
    ELSIF v_left > 0 THEN
        PERFORM fail.operation_refused(v_left || ' keys are wrapped under this root key',
                                       'daemons are moving them; operator.root_key shows what is '
                                       'left');
    END IF;
    UPDATE store.root_key r SET retired_at = clock_timestamp() WHERE r.id = v_key.id;
    PERFORM rule.audit_write_operator('operator.root_key_retire', NULL, NULL, NULL,
                                      jsonb_build_object('root_id', v_key.id));
END
$$;
COMMENT ON FUNCTION operator.root_key_retire(text) IS
    'Says that a root key is no more needed, once nothing is wrapped under it, and nothing ever '
    'is again; then it may be taken out of the daemons. Old backups still need it. Again: nothing.';
