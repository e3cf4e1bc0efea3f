CREATE FUNCTION fail.locked(resource text, resource_id text)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'SM423',
        MESSAGE = 'resource is locked',
        HINT = '423',
        DETAIL = (SELECT row_to_json(body) FROM (SELECT 'resource is locked' AS message, resource, resource_id,
                                                        'locked' AS type) AS body);
END
$$;
COMMENT ON FUNCTION fail.locked(text, text) IS 'Refuses to touch what the operator has locked: 423.';
