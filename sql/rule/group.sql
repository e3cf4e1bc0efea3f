-- Calls that share one transaction, and so one commit, with other calls.

CREATE FUNCTION rule.group_must_not_be(request jsonb)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF request ? 'grouped' THEN
        PERFORM fail.call_again('{"need":"alone"}');
    END IF;
END
$$;
COMMENT ON FUNCTION rule.group_must_not_be(jsonb) IS
    'Stops a call that may share its transaction, to be made again in one of its own; for what locks or changes a row, which the others would hold up.';
