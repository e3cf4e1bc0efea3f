-- Epochs: the periods between two restores or failovers that have lost something.

CREATE FUNCTION rule.epoch_begin(reason text)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    -- More ids than any daemon can have given out beyond those that this database knows of: so none
    -- is given again.
    c_step CONSTANT bigint := 1000000000000;
    v_last    audit.seal;
    v_epoch   integer;
    v_xid     bigint;
    v_settled bigint;
    v_from    bigint;
BEGIN
    -- No daemon, whose job would do it, serves what was restored; and a backup may be older than
    -- its partitions reach.
    PERFORM job.audit_partition_create();
    -- A transaction that writes to the audit holds this table to its end: so the old epoch is
    -- complete now.
    LOCK TABLE audit.epoch IN ACCESS EXCLUSIVE MODE;
    SELECT * INTO v_last FROM audit.seal s ORDER BY s.no DESC LIMIT 1;
    PERFORM rule.seal_rows(v_last.epoch, v_last.xid_to,
                           (SELECT max(e.xid) + 1 FROM audit.event e WHERE e.epoch = v_last.epoch));
    v_epoch := v_last.epoch + 1;
    v_xid := pg_current_xact_id()::text::bigint;
    v_settled := (SELECT t.id FROM audit.settled t);
    v_from := setval('audit.event_id', (SELECT q.last_value + c_step FROM audit.event_id q));
    INSERT INTO audit.epoch (epoch, id_from, reason) VALUES (v_epoch, v_from, epoch_begin.reason);
    UPDATE audit.settled SET id = v_from, next_id = 0, next_xid = 0;
    -- The first seal of an epoch is over nothing, and links it to the end of the one before.
    PERFORM rule.seal_append(v_epoch, date_trunc('month', now() AT TIME ZONE 'UTC')::date, v_xid,
                             v_xid, 0,
                             sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
    -- All rows up to settled_id are there; the ids from there to id_from may have been given to
    -- rows that were lost.
    RETURN jsonb_build_object('epoch', v_epoch, 'reason', reason, 'settled_id', v_settled,
                              'id_from', v_from);
END
$$;
COMMENT ON FUNCTION rule.epoch_begin(text) IS
    'Begins another epoch of the audit: seals what is left of the one before, and lets the ids of '
    'events jump by 10^12. Gives what the event that the caller writes has to say. The caller '
    'holds the lock of the seals.';
