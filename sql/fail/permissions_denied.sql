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
                    FROM (SELECT ARRAY[(SELECT row_to_json(missing) FROM (SELECT action, resource) AS missing)] AS details,
                                 'insufficient permissions' AS message,
                                 'permissions_denied' AS type) AS body);
END
$$;
COMMENT ON FUNCTION fail.permissions_denied(text, text) IS
    'Refuses what the caller has no right to: 403 with the action and the resource it would need.';
