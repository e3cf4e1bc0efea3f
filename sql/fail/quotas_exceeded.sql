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
                    FROM (SELECT ARRAY[(SELECT row_to_json(full_one) FROM (SELECT current, quota, resource) AS full_one)] AS details,
                                 'quota(s) exceeded for this resource' AS message,
                                 'quotas_exceeded' AS type) AS body);
END
$$;
COMMENT ON FUNCTION fail.quotas_exceeded(text, bigint, bigint) IS
    'Refuses a create past the quota: 403; current is the number there is, quota the number there may be.';
