-- List the secrets in a path together with the folders one level below it.
CREATE FUNCTION endpoint.secret_browse(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{
        query.project_id, query.order_by, query.prefix,
        query.page, query.page_size, query.tags, query.type}');
    v_projects uuid[] := rule.caller_require_projects(caller, v_argument);
    v_region   CONSTANT text := request ->> 'region';
    v_prefix   CONSTANT text := coalesce(v_argument.prefix, '/');
    v_below    CONSTANT text := rtrim(v_prefix, '/') || '/';
    v_body     text;
BEGIN
    WITH matching AS (
        SELECT s.* FROM store.secret s
         WHERE s.project_id = ANY (v_projects)
           AND s.region = v_region
           AND s.deletion_requested_at IS NULL
           AND (s.path = v_prefix OR starts_with(s.path, v_below))
           AND (v_argument.type IS NULL OR s.type = v_argument.type)
           AND (v_argument.tags IS NULL OR s.tags @> v_argument.tags)
    ), item AS (
        SELECT m.name, m.created_at, m.updated_at, m.id
          FROM matching m WHERE m.path = v_prefix
        UNION ALL
        SELECT split_part(substr(m.path, length(v_below) + 1), '/', 1) AS folder, min(m.created_at),
               max(m.updated_at), NULL
          FROM matching m WHERE m.path <> v_prefix
         GROUP BY folder
    ), page AS (
        SELECT row_number() OVER (ORDER BY
                   CASE v_argument.order_by WHEN 'name_asc' THEN i.name END,
                   CASE v_argument.order_by WHEN 'name_desc' THEN i.name END DESC,
                   CASE v_argument.order_by WHEN 'created_at_asc' THEN i.created_at
                        WHEN 'updated_at_asc' THEN i.updated_at END,
                   CASE v_argument.order_by WHEN 'created_at_desc' THEN i.created_at
                        WHEN 'updated_at_desc' THEN i.updated_at END DESC,
                   i.id, i.name) AS place, i.*
          FROM item i
         ORDER BY place
         LIMIT v_argument.page_size OFFSET (v_argument.page - 1)::bigint * v_argument.page_size
    )
    SELECT row_to_json(shape) INTO v_body
      FROM (SELECT ARRAY(SELECT rule.render_browse_item(page.name, page.created_at,
                                                        page.updated_at, s)
                       FROM page LEFT JOIN store.secret s ON s.id = page.id
                      ORDER BY page.place) AS items,
                   (SELECT count(*) FROM item) AS total_count,
                   v_prefix AS current_path) AS shape;
    RETURN rule.outcome(200, v_body, v_argument.project_id);
END
$$;
COMMENT ON FUNCTION endpoint.secret_browse(rule.caller, jsonb) IS
    'Lists the live secrets directly in a path and the folders one level below that hold a match, '
    'a page at a time, sorted together.';
