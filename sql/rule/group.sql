-- Calls that share one transaction, and so one commit, with other calls.

CREATE FUNCTION rule.group_refuse(request jsonb)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF request ? 'grouped' THEN
        PERFORM fail.challenge('{"need":"alone"}');
    END IF;
END
$$;
COMMENT ON FUNCTION rule.group_refuse(jsonb) IS
    'Challenges a call that shares its transaction with others, to be made again in one of its '
    'own: it is about to lock or change a row, and would hold up the others.';
