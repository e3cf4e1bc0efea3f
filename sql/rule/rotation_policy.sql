-- Rotation policies of keys: how they are written, and when the next rotation is.

CREATE FUNCTION rule.rotation_policy_check(argument text, value jsonb)
RETURNS json[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_period CONSTANT text := value ->> 'rotation_period';
    v_next   CONSTANT text := value ->> 'next_rotation_at';
    v_faults json[];
BEGIN
    IF jsonb_typeof(value) <> 'object' THEN
        RETURN rule.argument_fault(argument, 'format', 'value must be an object');
    END IF;
    IF v_period IS NULL THEN
        IF v_next IS NOT NULL THEN
            v_faults := v_faults || rule.argument_fault(argument || '.rotation_period', 'required',
                                                        'value is required');
        END IF;
    ELSIF jsonb_typeof(value -> 'rotation_period') <> 'string' THEN
        v_faults := v_faults || rule.argument_fault(argument || '.rotation_period', 'format',
                                                    'value must be a string');
    ELSIF v_period !~ '^[0-9]{1,12}([.][0-9]{1,9})?s$' THEN
        v_faults := v_faults || rule.argument_fault(argument || '.rotation_period', 'format',
                                                    'value must be a number of seconds followed '
                                                    'by s');
    ELSIF rtrim(v_period, 's')::numeric NOT BETWEEN 86400 AND 3153600000 THEN
        v_faults := v_faults || rule.argument_fault(argument || '.rotation_period', 'constraint',
                                                    'value must be from 86400s to 3153600000s');
    END IF;
    IF jsonb_typeof(value -> 'next_rotation_at') = 'string' THEN
        v_faults := v_faults || rule.ephemeral_time_check(argument || '.next_rotation_at', v_next);
    ELSIF v_next IS NOT NULL THEN
        v_faults := v_faults || rule.argument_fault(argument || '.next_rotation_at', 'format',
                                                    'value must be a string');
    END IF;
    RETURN v_faults;
END
$$;
COMMENT ON FUNCTION rule.rotation_policy_check(text, jsonb) IS
    'Checks a rotation_policy; gives the faults, null if there is none. One without members says '
    'that there shall be no policy.';

CREATE FUNCTION rule.rotation_policy(value jsonb)
RETURNS rule.rotation_policy
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_period CONSTANT bigint := (rtrim(value ->> 'rotation_period',
                                       's')::numeric * 1000000000)::bigint;
BEGIN
    RETURN (v_period,
            coalesce(rule.ephemeral_time(value ->> 'next_rotation_at'),
                     rule.rotation_policy_next(clock_timestamp(), v_period)),
            true)::rule.rotation_policy;
END
$$;
COMMENT ON FUNCTION rule.rotation_policy(jsonb) IS
    'Reads a checked rotation_policy; rotation_period in nanoseconds, next_rotation_at one period '
    'from now when it is not given.';

CREATE FUNCTION rule.rotation_policy_next(since timestamptz, period bigint)
RETURNS timestamptz
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_now     CONSTANT timestamptz := clock_timestamp();
    v_periods CONSTANT numeric := floor(extract(epoch FROM v_now - since) * 1000000000 / period)
        + 1;
BEGIN
    RETURN since + (v_periods * period / 1000000000)::double precision * interval '1 second';
END
$$;
COMMENT ON FUNCTION rule.rotation_policy_next(timestamptz, bigint) IS
    'Gives the first time from now that is a whole number of periods, in nanoseconds, after an '
    'earlier one; null without a period.';
