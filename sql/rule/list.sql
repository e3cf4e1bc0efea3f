-- Pages of secrets. A page of all live secrets of some projects costs the same however many there
-- are: counters say how many, and an index gives a page of each project in order.

CREATE FUNCTION rule.list_page(projects uuid[], region text, argument rule.argument)
RETURNS rule.page
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF argument.name IS NULL AND argument.path IS NULL AND argument.type IS NULL
        AND argument.tags IS NULL AND argument.ephemeral IS NULL
        AND argument.scheduled_for_deletion IS NOT TRUE THEN
        RETURN rule.list_all(projects, region, argument);
    END IF;
    RETURN rule.list_matching(projects, region, argument);
END
$$;
COMMENT ON FUNCTION rule.list_page(uuid[], text, rule.argument) IS
    'Gives the page of the secrets of these projects that the arguments ask for.';

CREATE FUNCTION rule.list_total(projects uuid[], region text)
RETURNS bigint
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (SELECT coalesce(sum(c.live), 0) FROM store.secret_count c
             WHERE c.project_id = ANY (projects) AND c.region = list_total.region);
END
$$;
COMMENT ON FUNCTION rule.list_total(uuid[], text) IS
    'Tells how many live secrets there are in these projects.';

-- A statement for each order, which a deploy makes from the choices of order_by. A plan knows
-- neither the project nor the page and would rather sort them all; so sorting is made to look dear,
-- and the indexes are used.
DO $do$
DECLARE
    v_template CONSTANT text := $template$
CREATE FUNCTION rule.list_all(projects uuid[], region text, argument rule.argument)
RETURNS rule.page
LANGUAGE plpgsql STABLE
SET enable_sort = off
AS $$
DECLARE
    v_first CONSTANT bigint := (argument.page - 1)::bigint * argument.page_size;
    v_page  rule.page;
BEGIN
    v_page.total_count := rule.list_total(projects, region);
    CASE argument.order_by
%s
    END CASE;
    RETURN v_page;
END
$$
$template$;
    v_branch   CONSTANT text := $branch$    WHEN %1$L THEN
        v_page.ids := ARRAY(
            SELECT s.id FROM unnest(projects) AS p(id), LATERAL (
                   SELECT s.id, s.%2$I FROM store.secret s
                    WHERE s.project_id = p.id AND s.region = list_all.region
                      AND s.deletion_requested_at IS NULL
                    ORDER BY s.%2$I %3$s, s.id LIMIT v_first + argument.page_size) AS s
             ORDER BY s.%2$I %3$s, s.id LIMIT argument.page_size OFFSET v_first);$branch$;
    v_branches text;
BEGIN
    SELECT string_agg(format(v_branch, choice, regexp_replace(choice, '_(asc|desc)$', ''),
                             regexp_replace(choice, '^.*_', '')),
                      E'\n' ORDER BY place)
      INTO v_branches
      FROM rule.argument_form f, unnest(f.choices) WITH ORDINALITY AS c(choice, place)
     WHERE f.argument = 'order_by';
    EXECUTE format(v_template, v_branches);     -- dynamic: one statement for each order
END
$do$;
COMMENT ON FUNCTION rule.list_all(uuid[], text, rule.argument) IS
    'Gives a page of all live secrets of these projects.';

CREATE FUNCTION rule.list_matching(projects uuid[], region text, argument rule.argument)
RETURNS rule.page
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_page rule.page;
BEGIN
    WITH matching AS (
        SELECT s.id, s.name, s.created_at, s.updated_at FROM store.secret s
         WHERE s.project_id = ANY (projects)
           AND s.region = list_matching.region
           AND (s.deletion_requested_at IS NOT NULL)
               = coalesce(argument.scheduled_for_deletion, false)
           AND (argument.name IS NULL OR s.name = argument.name)
           AND (argument.path IS NULL OR s.path = argument.path)
           AND (argument.type IS NULL OR s.type = argument.type)
           AND (argument.tags IS NULL OR s.tags @> argument.tags)
           AND (argument.ephemeral IS NULL OR (s.action IS NOT NULL) = argument.ephemeral)
    )
    SELECT ARRAY(SELECT m.id FROM matching m
                  ORDER BY
                   CASE argument.order_by WHEN 'name_asc' THEN m.name END,
                   CASE argument.order_by WHEN 'name_desc' THEN m.name END DESC,
                   CASE argument.order_by WHEN 'created_at_asc' THEN m.created_at
                                          WHEN 'updated_at_asc' THEN m.updated_at END,
                   CASE argument.order_by WHEN 'created_at_desc' THEN m.created_at
                                          WHEN 'updated_at_desc' THEN m.updated_at END DESC,
                   m.id
                  LIMIT argument.page_size OFFSET (argument.page - 1)::bigint * argument.page_size),
           (SELECT count(*) FROM matching)
      INTO v_page;
    RETURN v_page;
END
$$;
COMMENT ON FUNCTION rule.list_matching(uuid[], text, rule.argument) IS
    'Gives a page of the secrets of these projects that match all filters, which takes a look at '
    'each.';
