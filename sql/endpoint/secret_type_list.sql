-- List the types that are in use.
CREATE FUNCTION endpoint.secret_type_list(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument :=
        rule.arguments(request, '{query.project_id, query.page, query.page_size}');
    v_projects uuid[] := rule.caller_require_projects(caller, v_argument);
    v_region   CONSTANT text := request ->> 'region';
    v_body     text;
BEGIN
    WITH used AS (
        SELECT DISTINCT s.type AS value
          FROM store.secret s
         WHERE s.project_id = ANY (v_projects) AND s.region = v_region
           AND s.deletion_requested_at IS NULL
    ), page AS (
        SELECT u.value COLLATE "C" AS value FROM used u ORDER BY 1
         LIMIT v_argument.page_size OFFSET (v_argument.page - 1)::bigint * v_argument.page_size
    )
    SELECT row_to_json(shape) INTO v_body
      FROM (SELECT ARRAY(SELECT page.value FROM page ORDER BY page.value) AS types,
                   (SELECT count(*) FROM used) AS total_count) AS shape;
    RETURN rule.outcome(200, v_body, v_argument.project_id);
END
$$;
COMMENT ON FUNCTION endpoint.secret_type_list(rule.caller, jsonb) IS
    'Lists the types of live secrets, each once, in order, a page at a time.';
