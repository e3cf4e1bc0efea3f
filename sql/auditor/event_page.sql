-- Pages of events for the Audit Trail API. There is a statement for each index that serves a page
-- and for each direction, because PostgreSQL reads an index in the direction of ORDER BY. A deploy
-- makes them from one description: when a statement applies, and what it reads.

DO $do$
DECLARE
    v_template CONSTANT text := $template$
CREATE FUNCTION auditor.event_page(organization_id uuid, since timestamptz, until timestamptz,
                                   oldest_first boolean, after_at timestamptz, after_id bigint,
                                   batch integer, filter rule.event_filter)
RETURNS SETOF audit.event
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
%s
END
$$
$template$;
    v_branch   CONSTANT text := $branch$    IF %s THEN
        RETURN QUERY
            %s;
        RETURN;
    END IF;$branch$;
    -- One page from one index.
    v_index    CONSTANT text := $index$(SELECT * FROM audit.event e
                     WHERE %%s
                       AND e.organization_id = event_page.organization_id
                       AND e.at >= since AND e.at < until
                       AND (after_id IS NULL OR (e.at, e.id) %1$s (after_at, after_id))
                       AND rule.event_matches(e, filter)
                     ORDER BY e.at %2$s, e.id %2$s LIMIT batch)$index$;
    -- The first of several pages.
    v_merge    CONSTANT text := $merge$ORDER BY page.at %2$s, page.id %2$s LIMIT batch$merge$;
    v_branches text;
BEGIN
    SELECT string_agg(
               format(v_branch, concat_ws(' AND ', way.condition, direction.condition),
               format(way.query, VARIADIC ARRAY(
                   SELECT format(format(v_index, direction.beyond, direction.word), condition)
                     FROM unnest(way.conditions) WITH ORDINALITY AS part(condition, place)
                    ORDER BY part.place)
                   || format(v_merge, direction.beyond, direction.word))),
               E'\n' ORDER BY way.place, direction.place)
      INTO v_branches
      FROM (VALUES
               -- A secret: its reads and the rest, with the conditions of event_read and
               -- event_secret word for word.
               (1, 'filter.secret_id IS NOT NULL',
                ARRAY[
                    $$e.secret_id = filter.secret_id AND e.status = 200
                       AND e.method IN ('secret_version_access', 'secret_version_access_by_path')$$,
                    $$e.secret_id = filter.secret_id AND (e.status <> 200
                       OR e.method NOT IN ('secret_version_access',
                                           'secret_version_access_by_path'))$$],
                $$SELECT * FROM (%s
                  UNION ALL
                  %s) AS page
             %s$$),
               -- A principal: a page of each of its keys.
               (2, 'filter.principal_id IS NOT NULL',
                ARRAY['e.api_key_id = k.id'],
                $$SELECT page.* FROM store.api_key k JOIN store.principal p ON p.id = k.principal_id
             CROSS JOIN LATERAL %s AS page
             WHERE k.principal_id = filter.principal_id
               AND p.organization_id = event_page.organization_id
             %s$$),
               -- An organization.
               (3, NULL, ARRAY['true'], '%s')
           ) AS way(place, condition, conditions, query),
           (VALUES (1, 'oldest_first IS TRUE', '>', 'ASC'),
                   (2, 'oldest_first IS NOT TRUE', '<', 'DESC'))
                       AS direction(place, condition, beyond, word);
    -- Dynamic: one statement for each index and direction.
    EXECUTE format(v_template, v_branches);
END
$do$;
COMMENT ON FUNCTION auditor.event_page(uuid, timestamptz, timestamptz, boolean, timestamptz, bigint,
                                       integer, rule.event_filter) IS
    'Gives at most batch events of an organization in [since, until) that match a filter, newest '
    'first or oldest_first, beyond the event of after_at and after_id where these are given; for a '
    'person, auditor.event is easier.';
