-- Regions that clients know and this deployment does not serve: their lists are empty, for clients
-- that ask every region.

CREATE FUNCTION rule.region_empty(method text, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_body text;
BEGIN
    CASE method
    WHEN 'secret_list' THEN v_body := '{"secrets":[],"total_count":0}';
    WHEN 'secret_browse' THEN
        SELECT row_to_json(shape) INTO v_body
          FROM (SELECT '[]'::json AS items, 0 AS total_count,
                       coalesce((rule.arguments(request, '{query.prefix}')).prefix, '/')
                           AS current_path) AS shape;
    WHEN 'tag_list' THEN v_body := '{"tags":[],"total_count":0}';
    WHEN 'secret_type_list' THEN v_body := '{"types":[],"total_count":0}';
    WHEN 'key_list' THEN v_body := '{"keys":[],"total_count":0}';
    WHEN 'algorithm_list' THEN v_body := '{"algorithms":[]}';
    WHEN 'audit_event_list' THEN v_body := '{"events":[],"next_page_token":null}';
    END CASE;
    RETURN rule.outcome(200, v_body, NULL::uuid);
END
$$;
COMMENT ON FUNCTION rule.region_empty(text, jsonb) IS
    'Makes the outcome of a list in a region that is known and not served: an empty page, for '
    'each caller with an API key. There is none of another method.';
