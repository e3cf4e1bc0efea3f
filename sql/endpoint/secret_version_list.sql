-- List the versions of a secret, newest first.
CREATE FUNCTION endpoint.secret_version_list(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument :=
        rule.arguments(request, '{path.secret_id!, query.page, query.page_size, query.status}');
    v_secret   store.secret :=
        rule.secret_require(caller, request, v_argument.secret_id, 'read', 'secret_version');
    v_status   CONSTANT text[] := nullif(array_remove(v_argument.status, 'unknown_status'), '{}');
    v_body     text;
BEGIN
    WITH matching AS (
        SELECT v.*, v.revision = max(v.revision) OVER () AS latest FROM rule.version_now v
         WHERE v.secret_id = v_secret.id
    ), page AS (
        SELECT m.* FROM matching m
         WHERE v_status IS NULL OR m.status = ANY (v_status)
         ORDER BY m.revision DESC
         LIMIT v_argument.page_size OFFSET (v_argument.page - 1)::bigint * v_argument.page_size
    )
    SELECT row_to_json(shape) INTO v_body
      FROM (SELECT ARRAY(SELECT rule.render_version(v_secret.region, v, page.latest, request)
                       FROM page JOIN rule.version_now v USING (secret_id, revision)
                      ORDER BY v.revision DESC) AS versions,
                   (SELECT count(*) FROM matching m
                     WHERE v_status IS NULL OR m.status = ANY (v_status)) AS total_count) AS shape;
    RETURN rule.outcome(200, v_body, v_secret);
END
$$;
COMMENT ON FUNCTION endpoint.secret_version_list(rule.caller, jsonb) IS
    'Lists the versions of a secret that have one of the given statuses, newest first, with the '
    'number of all matches.';
