-- List keys by page.
CREATE FUNCTION endpoint.key_list(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{
        query.organization_id, query.project_id, query.order_by,
        query.page, query.page_size, query.tags, query.name,
        query.usage:usages, query.scheduled_for_deletion, query.protection_level}');
    v_projects uuid[] := rule.caller_require_projects(caller, v_argument, 'read', 'key');
    v_region   CONSTANT text := request ->> 'region';
    v_body     text;
BEGIN
    WITH matching AS (
        SELECT k.* FROM store.managed_key k
         WHERE k.project_id = ANY (v_projects)
           AND k.region = v_region
           AND (k.deletion_requested_at IS NOT NULL)
               = coalesce(v_argument.scheduled_for_deletion, false)
           AND (v_argument.name IS NULL OR k.name = v_argument.name)
           AND (v_argument.tags IS NULL OR k.tags @> v_argument.tags)
           AND (v_argument.usages IS NULL OR 'symmetric_encryption' = ANY (v_argument.usages))
           AND v_argument.protection_level IS DISTINCT FROM 'hsm'
    ), page AS (
        SELECT row_number() OVER (ORDER BY
                   CASE v_argument.order_by WHEN 'name_asc' THEN m.name END,
                   CASE v_argument.order_by WHEN 'name_desc' THEN m.name END DESC,
                   CASE v_argument.order_by WHEN 'created_at_asc' THEN m.created_at
                        WHEN 'updated_at_asc' THEN m.updated_at END,
                   CASE v_argument.order_by WHEN 'created_at_desc' THEN m.created_at
                        WHEN 'updated_at_desc' THEN m.updated_at END DESC,
                   m.id) AS place, m.id
          FROM matching m
         ORDER BY place
         LIMIT v_argument.page_size OFFSET (v_argument.page - 1)::bigint * v_argument.page_size
    )
    SELECT row_to_json(shape) INTO v_body
      FROM (SELECT ARRAY(SELECT rule.render_managed_key(k, request) FROM page
                           JOIN store.managed_key k USING (id)
                          ORDER BY page.place) AS keys,
                   (SELECT count(*) FROM matching) AS total_count) AS shape;
    RETURN rule.outcome(200, v_body, v_argument.project_id);
END
$$;
COMMENT ON FUNCTION endpoint.key_list(rule.caller, jsonb) IS
    'Lists the keys that the caller may read and that match all filters, a page at a time, with '
    'the number of all matches.';
