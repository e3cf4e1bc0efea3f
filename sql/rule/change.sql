-- The feed of changes: the shape of a change, and cursors.

CREATE FUNCTION rule.change_render(cursor text, at timestamptz, method text, project_id uuid,
                                   secret_id uuid, revision integer, request_id uuid)
RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (
        SELECT row_to_json(shape)
          FROM (SELECT cursor, rule.render_time(at) AS recorded_at,
                       coalesce((SELECT m.name FROM rule.method m
                                  WHERE m.method = change_render.method), method) AS method_name,
                       project_id,
                       CASE WHEN NOT rule.event_is_of_key(method) THEN secret_id END AS secret_id,
                       revision,
                       CASE WHEN rule.event_is_of_key(method) THEN secret_id END AS key_id,
                       request_id) AS shape);
END
$$;
COMMENT ON FUNCTION rule.change_render(text, timestamptz, text, uuid, uuid, integer, uuid) IS
    'Writes the shape Change: of a secret, of a version or of a managed key.';

CREATE FUNCTION rule.change_cursor_is_ahead(cursor text, changes_end text)
RETURNS boolean
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    RETURN (split_part(cursor, '.', 1)::integer, split_part(cursor, '.', 2)::bigint)
           > (split_part(changes_end, '.', 1)::integer, split_part(changes_end, '.', 2)::bigint);
END
$$;
COMMENT ON FUNCTION rule.change_cursor_is_ahead(text, text) IS
    'Tells whether a cursor is ahead of the last change; null without a cursor.';
