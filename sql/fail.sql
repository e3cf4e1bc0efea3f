-- The refusals, and the only RAISEs. Each function raises one SQLSTATE of class SM, which nothing
-- else raises. An API function catches the class and answers with HINT as HTTP status and DETAIL as
-- body. MESSAGE is a fixed text. SM001 is a challenge, with status 0. SM900 refuses a call of an
-- operator, in words for that operator.

CREATE FUNCTION fail.challenge(challenge json)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'SM001',
        MESSAGE = 'call again',
        HINT = '0',
        DETAIL = challenge;
END
$$;
COMMENT ON FUNCTION fail.challenge(json) IS
    'Challenges the daemon: the call needs more from it. Undoes the changes of the call, which '
    'leaves no audit row: status 0; challenge says what is missing.';

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
    'Refuses a value that cannot be decrypted or a key that cannot be unwrapped: 500, the same '
    'for every cause, so that the answer tells nothing.';

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

CREATE FUNCTION fail.denied_authentication(reason text)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'SM401',
        MESSAGE = 'authentication is denied',
        HINT = '401',
        DETAIL = (SELECT row_to_json(body)
                  FROM (SELECT 'authentication is denied' AS message, 'api_key' AS method,
                                                        reason, 'denied_authentication' AS type)
                                                            AS body);
END
$$;
COMMENT ON FUNCTION fail.denied_authentication(text) IS
    'Refuses a caller: 401; reason is not_found (unknown or revoked), invalid_argument or expired.';

CREATE FUNCTION fail.permissions_denied(action text, resource text)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'SM403',
        MESSAGE = 'insufficient permissions',
        HINT = '403',
        DETAIL = (SELECT row_to_json(body)
                    FROM (SELECT ARRAY[(SELECT row_to_json(missing)
                                        FROM (SELECT action, resource) AS missing)] AS details,
                                 'insufficient permissions' AS message,
                                 'permissions_denied' AS type) AS body);
END
$$;
COMMENT ON FUNCTION fail.permissions_denied(text, text) IS
    'Refuses what the caller has no right to: 403 with the action and the resource it would need.';

CREATE FUNCTION fail.quotas_exceeded(resource text, quota bigint, current bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'SM4Q3',
        MESSAGE = 'quota(s) exceeded for this resource',
        HINT = '403',
        DETAIL = (SELECT row_to_json(body)
                    FROM (SELECT ARRAY[(SELECT row_to_json(full_one)
                                        FROM (SELECT current, quota, resource) AS full_one)]
                                             AS details,
                                 'quota(s) exceeded for this resource' AS message,
                                 'quotas_exceeded' AS type) AS body);
END
$$;
COMMENT ON FUNCTION fail.quotas_exceeded(text, bigint, bigint) IS
    'Refuses a create past the quota: 403; current is the number there is, quota the number there '
    'may be.';

CREATE FUNCTION fail.not_found(resource text, resource_id text)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'SM404',
        MESSAGE = 'resource is not found',
        HINT = '404',
        DETAIL = (SELECT row_to_json(body)
                  FROM (SELECT 'resource is not found' AS message, resource, resource_id,
                                                        'not_found' AS type) AS body);
END
$$;
COMMENT ON FUNCTION fail.not_found(text, text) IS
    'Refuses what is not there, or belongs to another organization: 404; resource is secret, '
    'secret_version or key.';

CREATE FUNCTION fail.precondition_failed(precondition text, help_message text)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'SM412',
        MESSAGE = 'precondition is not respected',
        HINT = '412',
        DETAIL = (SELECT row_to_json(body)
                  FROM (SELECT help_message, 'precondition is not respected' AS message,
                                                        precondition,
                                                            'precondition_failed' AS type) AS body);
END
$$;
COMMENT ON FUNCTION fail.precondition_failed(text, text) IS
    'Refuses what the present state forbids: 412; precondition is protected_resource or '
    'resource_not_usable, help_message a sentence.';

CREATE FUNCTION fail.locked(resource text, resource_id text)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'SM423',
        MESSAGE = 'resource is locked',
        HINT = '423',
        DETAIL = (SELECT row_to_json(body)
                  FROM (SELECT 'resource is locked' AS message, resource, resource_id,
                                                        'locked' AS type) AS body);
END
$$;
COMMENT ON FUNCTION fail.locked(text, text) IS
    'Refuses to touch what the operator has locked: 423.';

CREATE FUNCTION fail.operation_refused(message text, remedy text)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'SM900', MESSAGE = message, HINT = remedy;
END
$$;
COMMENT ON FUNCTION fail.operation_refused(text, text) IS
    'Refuses a call of an operator function, in words for the DBA who made it; never reaches a '
    'client of the API.';
