-- How far the audit is complete. An id is given before its row is committed, so a row can appear
-- below others that have been seen. Transaction numbers tell when that is over; but to go by them
-- would turn around what two transactions did to one secret, since the one with the lower number
-- may have had the secret's lock later. Ids are given under that lock.

CREATE FUNCTION rule.audit_settle()
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_settled audit.settled;
    v_id      bigint;
    v_given   bigint;
    v_xid     bigint;
    v_end     bigint;
BEGIN
    -- A number that was given before this began tells nothing of those who have got a higher one
    -- since.
    IF pg_current_xact_id_if_assigned() IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT * INTO v_settled FROM audit.settled;
    v_id := v_settled.id;
    SELECT last_value INTO v_given FROM audit.event_id;
    IF v_given = v_id THEN
        RETURN;
    END IF;
    -- A transaction with an id up to v_given has a number below this one, which is given after
    -- it was read.
    v_xid := pg_current_xact_id()::text::bigint;
    v_end := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
    IF v_end >= v_xid THEN
        v_id := v_given;
    ELSIF v_end >= v_settled.next_xid THEN
        -- What was running then has ended since; what is running now is waited for next.
        v_id := v_settled.next_id;
        UPDATE audit.settled SET next_id = v_given, next_xid = v_xid;
    END IF;
    IF v_id > v_settled.id THEN
        UPDATE audit.settled SET id = v_id;
        IF EXISTS (SELECT FROM auditor.change c WHERE c.id > v_settled.id AND c.id <= v_id) THEN
            -- Here and not at each change: NOTIFY makes commits wait for each other, and there is
            -- nothing to see before.
            PERFORM pg_notify('coffer_changes', v_id::text);
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION rule.audit_settle() IS
    'Finds up to which id the audit is complete, and notifies coffer_changes if auditor.changes '
    'then sees more; does nothing in a transaction that has written already. The caller holds the '
    'lock of the seals.';
