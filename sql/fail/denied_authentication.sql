CREATE FUNCTION fail.denied_authentication(reason text)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'SM401',
        MESSAGE = 'authentication is denied',
        HINT = '401',
        DETAIL = (SELECT row_to_json(body) FROM (SELECT 'authentication is denied' AS message, 'api_key' AS method,
                                                        reason, 'denied_authentication' AS type) AS body);
END
$$;
COMMENT ON FUNCTION fail.denied_authentication(text) IS
    'Refuses a caller: 401; reason is not_found (unknown or revoked), invalid_argument or expired.';
