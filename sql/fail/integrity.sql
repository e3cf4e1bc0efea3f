CREATE FUNCTION fail.integrity()
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'SM101',
        MESSAGE = 'integrity failure',
        HINT = '500',
        DETAIL = '{"message":"internal error","type":"internal"}';
END
$$;
COMMENT ON FUNCTION fail.integrity() IS
    'Refuses a sealed value that does not open: 500, the same whatever the cause, so that nothing can be learnt from the answer.';
