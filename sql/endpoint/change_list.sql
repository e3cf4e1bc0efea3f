-- List what has changed since a cursor, or wait for it.
CREATE FUNCTION endpoint.change_list(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument :=
        rule.arguments(request, '{query.project_id, query.after, query.wait, query.page_size}');
    v_projects uuid[] := rule.caller_require_projects(caller, v_argument, 'watch', 'change');
    v_changes  json;
    v_cursor   text;
    v_count    bigint;
BEGIN
    -- Who may watch all of the organization hears of projects, too, that are no more: how else of
    -- what went with them?
    IF v_argument.project_id IS NULL AND rule.caller_may(caller, 'watch', NULL, 'change') THEN
        v_projects := NULL;
    END IF;
    IF v_argument.after = 'latest' THEN
        v_argument.after := auditor.changes_end();
        v_argument.wait := 0;
    ELSIF rule.change_cursor_is_ahead(v_argument.after, auditor.changes_end()) THEN
        -- It would skip, without a word, what is given its ids.
        PERFORM fail.invalid_argument('after', 'constraint',
                                      'value is ahead of the last change, as changes were lost: '
                                      'read all anew, and go on with the cursor of latest');
    END IF;
    -- The end in the same statement, and so in the same snapshot, as what comes before it.
    SELECT count(*),
           json_agg(rule.change_render(c.cursor, c.at, c.method, c.project_id, c.secret_id,
                                       c.revision, c.request_id)
                    ORDER BY c.place),
           CASE WHEN count(*) < v_argument.page_size THEN auditor.changes_end()
                ELSE (array_agg(c.cursor ORDER BY c.place DESC))[1] END
      INTO v_count, v_changes, v_cursor
      FROM auditor.changes(v_argument.after, v_argument.page_size, v_projects, request ->> 'region',
                           caller.organization_id)
           WITH ORDINALITY
               AS c(cursor, at, method, organization_id, project_id, secret_id, revision,
                    principal_id, api_key_id, request_id, request, place);
    IF v_count = 0 AND v_argument.wait > 0 THEN
        PERFORM fail.challenge(json_build_object('need', 'change', 'wait', v_argument.wait));
    END IF;
    RETURN rule.outcome(200, row_to_json(shape)::text, v_argument.project_id)
      FROM (SELECT coalesce(v_changes, '[]') AS changes, v_cursor AS cursor) AS shape;
END
$$;
COMMENT ON FUNCTION endpoint.change_list(rule.caller, jsonb) IS
    'Lists the changes of secrets and managed keys in the organization or the projects that the '
    'caller may watch, after a cursor, in the order of auditor.changes; if there are none and wait '
    'is given, says so with status 0, for the daemon to call again.';
