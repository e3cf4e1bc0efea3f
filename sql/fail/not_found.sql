CREATE FUNCTION fail.not_found(resource text, resource_id text)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'SM404',
        MESSAGE = 'resource is not found',
        HINT = '404',
        DETAIL = (SELECT row_to_json(body) FROM (SELECT 'resource is not found' AS message, resource, resource_id,
                                                        'not_found' AS type) AS body);
END
$$;
COMMENT ON FUNCTION fail.not_found(text, text) IS
    'Refuses what is not there, or belongs to another organization: 404; resource is secret, secret_version or key.';
