CREATE FUNCTION fail.precondition_failed(precondition text, help_message text)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'SM412',
        MESSAGE = 'precondition is not respected',
        HINT = '412',
        DETAIL = (SELECT row_to_json(body) FROM (SELECT help_message, 'precondition is not respected' AS message,
                                                        precondition, 'precondition_failed' AS type) AS body);
END
$$;
COMMENT ON FUNCTION fail.precondition_failed(text, text) IS
    'Refuses what the present state forbids: 412; precondition is protected_resource or resource_not_usable, help_message a sentence.';
