-- Ephemeral policies of secrets and properties of versions: how they are written, and what they
-- mean for a new version.

CREATE FUNCTION rule.ephemeral_common_check(argument text, value jsonb, limit_name text)
RETURNS json[]
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    v_faults json[];
BEGIN
    IF jsonb_typeof(value) <> 'object' THEN
        RETURN rule.argument_fault(argument, 'format', 'value must be an object');
    END IF;
    IF coalesce(jsonb_typeof(value -> 'expires_once_accessed'), 'null') NOT IN ('boolean', 'null')
        THEN
        v_faults := v_faults || rule.argument_fault(argument || '.expires_once_accessed', 'format',
                                                    'value must be a boolean');
    END IF;
    IF value ->> 'action' IS NULL THEN
        v_faults := v_faults || rule.argument_fault(argument || '.action', 'required',
                                                    'value is required');
    ELSIF value ->> 'action' NOT IN ('disable', 'delete') THEN
        v_faults := v_faults || rule.argument_fault(argument || '.action', 'format',
                                                    'value must be one of disable, delete');
    END IF;
    IF coalesce(jsonb_typeof(value -> limit_name), 'null') NOT IN ('string', 'null') THEN
        v_faults := v_faults || rule.argument_fault(argument || '.' || limit_name, 'format',
                                                    'value must be a string');
    ELSIF value ->> limit_name IS NULL
        AND coalesce(value ->> 'expires_once_accessed', 'false') = 'false' THEN
        v_faults := v_faults || rule.argument_fault(argument, 'required',
                                                    'one of ' || limit_name
                                                        || ' and expires_once_accessed is '
                                                            'required');
    END IF;
    RETURN v_faults;
END
$$;
COMMENT ON FUNCTION rule.ephemeral_common_check(text, jsonb, text) IS
    'Checks what a policy and properties have in common; limit_name is the member that bounds the '
    'time. Gives the faults, null if there is none.';

CREATE FUNCTION rule.ephemeral_policy_check(argument text, value jsonb)
RETURNS json[]
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    v_faults json[] := rule.ephemeral_common_check(argument, value, 'time_to_live');
    v_text   text := value ->> 'time_to_live';
BEGIN
    IF jsonb_typeof(value -> 'time_to_live') = 'string' THEN
        IF v_text !~ '^[0-9]{1,12}([.][0-9]{1,9})?s$' THEN
            v_faults := v_faults || rule.argument_fault(argument || '.time_to_live', 'format',
                                                        'value must be a number of seconds '
                                                        'followed by s');
        ELSIF rtrim(v_text, 's')::numeric NOT BETWEEN 1 AND 31536000 THEN
            v_faults := v_faults || rule.argument_fault(argument || '.time_to_live', 'constraint',
                                                        'value must be from 1s to 31536000s');
        END IF;
    END IF;
    RETURN v_faults;
END
$$;
COMMENT ON FUNCTION rule.ephemeral_policy_check(text, jsonb) IS
    'Checks an ephemeral_policy; gives the faults, null if there is none.';

CREATE FUNCTION rule.ephemeral_policy(value jsonb)
RETURNS rule.ephemeral_policy
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    RETURN ((rtrim(value ->> 'time_to_live', 's')::numeric * 1000000000)::bigint,
            coalesce((value ->> 'expires_once_accessed')::boolean, false),
            value ->> 'action')::rule.ephemeral_policy;
END
$$;
COMMENT ON FUNCTION rule.ephemeral_policy(jsonb) IS
    'Reads a checked ephemeral_policy; time_to_live in nanoseconds.';

CREATE FUNCTION rule.ephemeral_properties_check(argument text, value jsonb)
RETURNS json[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_faults json[] := rule.ephemeral_common_check(argument, value, 'expires_at');
BEGIN
    IF jsonb_typeof(value -> 'expires_at') = 'string' THEN
        v_faults := v_faults || rule.ephemeral_time_check(argument || '.expires_at',
                                                          value ->> 'expires_at');
    END IF;
    RETURN v_faults;
END
$$;
COMMENT ON FUNCTION rule.ephemeral_properties_check(text, jsonb) IS
    'Checks the ephemeral_properties of a version; gives the faults, null if there is none.';

CREATE FUNCTION rule.ephemeral_time_check(argument text, value text)
RETURNS json[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_time CONSTANT timestamptz := rule.ephemeral_time(value);
BEGIN
    IF v_time IS NULL THEN
        RETURN rule.argument_fault(argument, 'format', 'value must be a time in RFC 3339 form');
    ELSIF v_time <= clock_timestamp() THEN
        RETURN rule.argument_fault(argument, 'constraint', 'value must be in the future');
    ELSIF extract(year FROM v_time AT TIME ZONE 'UTC') > 9999 THEN
        -- By its offset, or because it was rounded up; RFC 3339 cannot write it.
        RETURN rule.argument_fault(argument, 'constraint', 'value must be before the year 10000');
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rule.ephemeral_time_check(text, text) IS
    'Checks a time that is to come; gives the fault, null if there is none.';

-- The Python SDK writes a time without an offset when it was given one without a time zone.
CREATE FUNCTION rule.ephemeral_time(value text)
RETURNS timestamptz
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF value !~*
        '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T '
        ']([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?$' THEN
        RETURN NULL;
    ELSIF value ~* '(Z|[+-][0-9]{2}:[0-9]{2})$' THEN
        RETURN value::timestamptz;
    END IF;
    RETURN value::timestamp AT TIME ZONE 'UTC';
EXCEPTION
    WHEN datetime_field_overflow OR invalid_datetime_format OR invalid_time_zone_displacement_value
        THEN
        RETURN NULL;
END
$$;
COMMENT ON FUNCTION rule.ephemeral_time(text) IS
    'Reads an RFC 3339 time, one without an offset as UTC; null if it is none.';

CREATE FUNCTION rule.ephemeral_properties(value jsonb)
RETURNS rule.ephemeral_properties
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (rule.ephemeral_time(value ->> 'expires_at'),
            coalesce((value ->> 'expires_once_accessed')::boolean, false),
            value ->> 'action', true)::rule.ephemeral_properties;
END
$$;
COMMENT ON FUNCTION rule.ephemeral_properties(jsonb) IS
    'Reads checked ephemeral_properties, which are a change: what they delete can be restored.';

CREATE FUNCTION rule.ephemeral_properties_from_policy(secret store.secret, since timestamptz)
RETURNS rule.ephemeral_properties
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    RETURN (since + (secret.time_to_live / 1000) * interval '1 microsecond',
            secret.expires_once_accessed, secret.action,
            coalesce(secret.policy_origin <> 'creation', false))::rule.ephemeral_properties;
END
$$;
COMMENT ON FUNCTION rule.ephemeral_properties_from_policy(store.secret, timestamptz) IS
    'Gives the properties that the present policy of a secret gives to a version made or enabled '
    'at since; not recoverable, and else all null, without a policy.';

-- A caller that may change a secret but not delete it could otherwise let time delete it, and a
-- protected one too.
CREATE FUNCTION rule.ephemeral_require_delete_allowed(caller rule.caller, secret store.secret,
                                                      resource text)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    PERFORM rule.caller_require_right(caller, 'delete', resource, secret.project_id);
    IF secret.protected THEN
        PERFORM fail.precondition_failed('protected_resource',
                                         'cannot let versions of a protected secret be deleted');
    END IF;
END
$$;
COMMENT ON FUNCTION rule.ephemeral_require_delete_allowed(rule.caller, store.secret, text) IS
    'Refuses a change that sets the action delete to a caller without the right to delete the '
    'resource, and on a protected secret.';
