-- The shape of an event in the Audit Trail API.

CREATE FUNCTION rule.render_event(event audit.event)
RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_id CONSTANT text := lpad(to_hex(event.id), 16, '0');
BEGIN
    RETURN (
        SELECT row_to_json(shape)
          -- The id is a UUID (version 8) that holds the receipt, as answers have it in X-Audit-Id.
          FROM (SELECT format('00000000-0000-8000-8%s-%s',
                              substr(v_id, 2, 3), substr(v_id, 5)) AS id,
                       rule.render_time(event.at) AS recorded_at,
                       coalesce(event.region, '') AS locality,
                       CASE WHEN event.api_key_id IS NOT NULL THEN
                           (SELECT row_to_json(p) FROM (SELECT event.principal_id AS id) AS p)
                       END AS principal,
                       event.organization_id,
                       event.project_id,
                       host(event.ip) AS source_ip,
                       event.user_agent,
                       coalesce(m.product, 'coffer') AS product_name,
                       coalesce(m.service, 'coffer.v1.Operator') AS service_name,
                       coalesce(m.name, event.method) AS method_name,
                       event.request_id,
                       rule.render_event_request(event.request) AS request_body,
                       event.status AS status_code,
                       rule.render_event_resources(event.method, event.secret_id, event.revision,
                                                   event.request -> 'snapshot') AS resources
                  FROM (VALUES (true)) AS one LEFT JOIN rule.method m ON m.method = event.method)
                      AS shape);
END
$$;
COMMENT ON FUNCTION rule.render_event(audit.event) IS
    'Writes the shape Event of the Audit Trail API.';

CREATE FUNCTION rule.render_event_request(request jsonb)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    IF request -> 'path' IS NULL THEN
        RETURN coalesce(request - 'snapshot', '{}');
    END IF;
    RETURN coalesce(request -> 'body', '{}')
        || coalesce((SELECT jsonb_object_agg(key, CASE jsonb_array_length(value)
                                                  WHEN 1 THEN value -> 0 ELSE value END)
                       FROM jsonb_each(request -> 'query')), '{}')
        || (request -> 'path');
END
$$;
COMMENT ON FUNCTION rule.render_event_request(jsonb) IS
    'Puts the arguments of a request, which the audit keeps by their place, into one object, as '
    'they are in the API''s messages.';

CREATE FUNCTION rule.render_event_resources(method text, secret_id uuid, revision integer,
                                            snapshot jsonb)
RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    -- Only from the row: what is stored now under this id may be of another organization, or have
    -- changed since.
    IF secret_id IS NULL THEN
        RETURN '[]';
    ELSIF rule.event_is_of_key(method) THEN
        RETURN (SELECT json_build_array(row_to_json(shape))
                  FROM (SELECT secret_id AS id, 'key_manager_key' AS type,
                               snapshot ->> 'created_at' AS created_at,
                               snapshot ->> 'updated_at' AS updated_at, NULL AS deleted_at,
                               snapshot ->> 'name' AS name,
                               '{}'::json AS key_manager_key_info) AS shape);
    ELSIF revision IS NULL THEN
        RETURN (SELECT json_build_array(row_to_json(shape))
                  FROM (SELECT secret_id AS id, 'secret_manager_secret' AS type,
                               snapshot ->> 'created_at' AS created_at,
                               snapshot ->> 'updated_at' AS updated_at, NULL AS deleted_at,
                               snapshot ->> 'name' AS name,
                               (SELECT row_to_json(info)
                                  FROM (SELECT coalesce(snapshot ->> 'path', '') AS path,
                                               snapshot ->> 'key_id' AS key_id) AS info)
                                   AS secret_manager_secret_info) AS shape);
    END IF;
    RETURN (SELECT json_build_array(row_to_json(shape))
              FROM (SELECT secret_id AS id, 'secret_manager_version' AS type,
                           snapshot ->> 'created_at' AS created_at,
                           snapshot ->> 'updated_at' AS updated_at, NULL AS deleted_at,
                           snapshot ->> 'name' AS name,
                           (SELECT row_to_json(info) FROM (SELECT revision) AS info)
                               AS secret_manager_version_info) AS shape);
END
$$;
COMMENT ON FUNCTION rule.render_event_resources(text, uuid, integer, jsonb) IS
    'Writes the resources of an event: the secret, the version or the managed key that it '
    'concerned, from its snapshot. Without a snapshot they have the id and the type alone.';
