CREATE FUNCTION fail.call_again(need json)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'SM001',
        MESSAGE = 'call again',
        HINT = '0',
        DETAIL = need;
END
$$;
COMMENT ON FUNCTION fail.call_again(json) IS
    'Stops a call that needs more from the daemon, whose changes it undoes and which leaves no audit row: status 0; need says what is missing.';
