-- Changes that are done once, however often they are sent: a daemon sends one again, with its id,
-- when the connection was lost before the answer came. The id is the daemon's own and as random as
-- a key, so nothing of the content is compared.

CREATE FUNCTION rule.request_answer(caller rule.caller, request jsonb, method text)
RETURNS api.answer
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_id     CONSTANT uuid := request ->> 'id';
    v_answer api.answer;
BEGIN
    -- The first try may be at it still, though its client is gone. To its end the second waits,
    -- before it locks anything.
    PERFORM pg_advisory_xact_lock(x'C0FFE3'::integer, hashtext(v_id::text));
    IF EXISTS (SELECT FROM store.request r WHERE r.id = v_id) THEN
        -- A transaction that writes waits for the standby, and so for all that was committed before
        -- it; the first one may have been torn out of that wait.
        UPDATE store.request r SET repeats = r.repeats + 1
         WHERE r.id = v_id AND r.api_key_id = caller.api_key_id AND r.method = request_answer.method
        RETURNING r.status, r.body, r.receipt, r.receipt_hash INTO STRICT v_answer;
    END IF;
    RETURN v_answer;
END
$$;
COMMENT ON FUNCTION rule.request_answer(rule.caller, jsonb, text) IS
    'Gives what a change was answered when it was sent for the first time; null if it has not '
    'been carried out. Fails if the id is that of another call.';

CREATE FUNCTION rule.request_keep(caller rule.caller, request jsonb, method text, answer api.answer)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    INSERT INTO store.request (id, at, api_key_id, method, status, body, receipt, receipt_hash)
    VALUES ((request ->> 'id')::uuid, clock_timestamp(), caller.api_key_id, method,
            answer.status, answer.body, answer.receipt, answer.receipt_hash);
END
$$;
COMMENT ON FUNCTION rule.request_keep(rule.caller, jsonb, text, api.answer) IS
    'Keeps the answer of a change, in the transaction of the change.';
