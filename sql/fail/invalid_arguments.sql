CREATE FUNCTION fail.invalid_arguments(details json[])
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'SM400',
        MESSAGE = 'invalid argument(s)',
        HINT = '400',
        DETAIL = (SELECT row_to_json(body) FROM (SELECT details, 'invalid argument(s)' AS message,
                                                        'invalid_arguments' AS type) AS body);
END
$$;
COMMENT ON FUNCTION fail.invalid_arguments(json[]) IS
    'Refuses a call for its arguments: 400 with all faults, each made by rule.argument_fault.';

CREATE FUNCTION fail.invalid_argument(argument_name text, reason text, help_message text)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    PERFORM fail.invalid_arguments(rule.argument_fault(argument_name, reason, help_message));
END
$$;
COMMENT ON FUNCTION fail.invalid_argument(text, text, text) IS
    'Refuses a call for one argument: 400; reason is required, format, constraint or unknown.';
