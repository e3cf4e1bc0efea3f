-- List secrets by page.
CREATE FUNCTION endpoint.secret_list(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{
        query.organization_id, query.project_id, query.order_by,
        query.page, query.page_size, query.tags, query.name,
        query.path, query.ephemeral, query.type,
        query.scheduled_for_deletion}');
    v_projects uuid[] := rule.caller_require_projects(caller, v_argument);
    v_region   CONSTANT text := request ->> 'region';
    v_body     text;
BEGIN
    -- One statement, and so one instant, for the page, the number and the secrets.
    SELECT row_to_json(shape) INTO v_body
      FROM (SELECT ARRAY(SELECT rule.render_secret(s, request)
                           FROM unnest(page.ids) WITH ORDINALITY AS listed(id, place)
                           JOIN store.secret s ON s.id = listed.id
                          ORDER BY listed.place) AS secrets,
                   page.total_count
              FROM rule.list_page(v_projects, v_region, v_argument) AS page) AS shape;
    RETURN rule.outcome(200, v_body, v_argument.project_id);
END
$$;
COMMENT ON FUNCTION endpoint.secret_list(rule.caller, jsonb) IS
    'Lists the secrets that the caller may read and that match all filters, a page at a time, with '
    'the number of all matches.';
