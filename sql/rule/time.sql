-- Times that operators give. Those of requests are in ephemeral.sql.

CREATE FUNCTION rule.time_require_future(argument text, at timestamptz)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF at = 'infinity' OR at = '-infinity' THEN
        PERFORM fail.operation_refused(argument || ' is infinite', 'give a time, or null for none');
    ELSIF at <= clock_timestamp() THEN
        PERFORM fail.operation_refused(argument || ' is in the past: ' || rule.render_time(at),
                                       'give a time that is to come');
    ELSIF extract(year FROM at AT TIME ZONE 'UTC') > 9999 THEN
        PERFORM fail.operation_refused(argument || ' is after the year 9999',
                                       'RFC 3339 cannot write it');
    END IF;
END
$$;
COMMENT ON FUNCTION rule.time_require_future(text, timestamptz) IS
    'Refuses a time that an operator gives and that is infinite, past or after the year 9999; '
    'null passes. argument is what the refusal names.';
