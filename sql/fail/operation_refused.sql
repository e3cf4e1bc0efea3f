CREATE FUNCTION fail.operation_refused(message text, remedy text)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'SM900', MESSAGE = message, HINT = remedy;
END
$$;
COMMENT ON FUNCTION fail.operation_refused(text, text) IS
    'Refuses a call of an operator function, in words for the DBA who made it; never reaches a client of the API.';
