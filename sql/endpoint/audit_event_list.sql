-- List what was done in an organization, by page.
CREATE FUNCTION endpoint.audit_event_list(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{
        query.organization_id!, query.project_id, query.resource_type, query.resource_id,
        query.method_name, query.status:status_code, query.recorded_after, query.recorded_before,
        query.order_by:event_order, query.page_size, query.page_token, query.product_name,
        query.service_name, query.principal_id, query.source_ip}');
    v_filter   rule.event_filter;
    v_since    timestamptz;
    v_until    timestamptz;
    v_events   audit.event[] := '{}';
    v_last     audit.event;
    v_token    text;
BEGIN
    IF v_argument.organization_id <> caller.organization_id THEN
        PERFORM fail.permissions_denied('read', 'event');
    END IF;
    PERFORM rule.caller_require_right(caller, 'audit', 'event', NULL);

    v_since := coalesce(v_argument.recorded_after, clock_timestamp() - interval '1 hour');
    v_until := coalesce(v_argument.recorded_before, clock_timestamp());
    -- So that an index begins where the page does: the order alone, which knows ids too, does not
    -- tell it.
    IF v_argument.event_order = 'recorded_at_asc' THEN
        v_since := greatest(v_since, (v_argument.page_token).at);
    ELSE
        v_until := least(v_until, (v_argument.page_token).at + interval '1 microsecond');
    END IF;
    v_filter := rule.event_filter(v_argument);
    IF v_filter.nothing IS NOT TRUE THEN
        v_events := ARRAY(SELECT e FROM auditor.event_page(
            caller.organization_id, v_since, v_until, v_argument.event_order = 'recorded_at_asc',
            (v_argument.page_token).at, (v_argument.page_token).id,
            v_argument.page_size + 1, v_filter) AS e);
    END IF;
    -- One more than fits is the sign that there is another page.
    IF cardinality(v_events) > v_argument.page_size THEN
        v_last := v_events[v_argument.page_size];
        v_token := rule.event_token(v_last.at, v_last.id);
    END IF;
    RETURN rule.outcome(200, row_to_json(shape)::text,
                        (SELECT p.id FROM store.project p
                          WHERE p.id = v_argument.project_id
                            AND p.organization_id = caller.organization_id))
      FROM (SELECT ARRAY(SELECT rule.render_event(v_events[place])
                           FROM generate_series(1, least(cardinality(v_events),
                                                         v_argument.page_size)) AS place) AS events,
                   v_token AS next_page_token) AS shape;
END
$$;
COMMENT ON FUNCTION endpoint.audit_event_list(rule.caller, jsonb) IS
    'Lists the events of the caller''s organization that match all filters, by default of the last '
    'hour and the newest first, a page at a time.';
