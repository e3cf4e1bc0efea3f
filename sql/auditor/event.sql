CREATE VIEW auditor.event AS
SELECT e.* FROM audit.event e;
COMMENT ON VIEW auditor.event IS
    'Every call: who (principal_id, api_key_id, or database_role for what a DBA did), when (at), from where (ip), what (method, project_id, secret_id, revision, request; of methods key_*, job.key_* and operator.key_* secret_id is the id of the key) and with what result (status, error). The member snapshot of request holds the name, the path, the managed key and the times that the secret, the version or the key had then.';

CREATE FUNCTION auditor.event_page(organization_id uuid, since timestamptz, until timestamptz, oldest_first boolean,
                                   after_at timestamptz, after_id bigint, batch integer, filter rule.event_filter)
RETURNS SETOF audit.event
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Of a secret, a page of its reads and one of the rest, each from its index: with the conditions of event_read and event_secret
    -- word for word. Of a principal, a page of each of its keys. And two ways of each, because an index is read in one direction.
    IF filter.secret_id IS NOT NULL AND oldest_first THEN
        RETURN QUERY
            SELECT * FROM (
                  (SELECT * FROM audit.event e
                    WHERE e.secret_id = filter.secret_id AND e.organization_id = event_page.organization_id
                      AND e.status = 200 AND e.method IN ('secret_version_access', 'secret_version_access_by_path')
                      AND e.at >= since AND e.at < until AND (after_id IS NULL OR (e.at, e.id) > (after_at, after_id))
                      AND rule.event_matches(e, filter)
                    ORDER BY e.at, e.id LIMIT batch)
                  UNION ALL
                  (SELECT * FROM audit.event e
                    WHERE e.secret_id = filter.secret_id AND e.organization_id = event_page.organization_id
                      AND (e.status <> 200 OR e.method NOT IN ('secret_version_access', 'secret_version_access_by_path'))
                      AND e.at >= since AND e.at < until AND (after_id IS NULL OR (e.at, e.id) > (after_at, after_id))
                      AND rule.event_matches(e, filter)
                    ORDER BY e.at, e.id LIMIT batch)) AS page
             ORDER BY page.at, page.id LIMIT batch;
    ELSIF filter.secret_id IS NOT NULL THEN
        RETURN QUERY
            SELECT * FROM (
                  (SELECT * FROM audit.event e
                    WHERE e.secret_id = filter.secret_id AND e.organization_id = event_page.organization_id
                      AND e.status = 200 AND e.method IN ('secret_version_access', 'secret_version_access_by_path')
                      AND e.at >= since AND e.at < until AND (after_id IS NULL OR (e.at, e.id) < (after_at, after_id))
                      AND rule.event_matches(e, filter)
                    ORDER BY e.at DESC, e.id DESC LIMIT batch)
                  UNION ALL
                  (SELECT * FROM audit.event e
                    WHERE e.secret_id = filter.secret_id AND e.organization_id = event_page.organization_id
                      AND (e.status <> 200 OR e.method NOT IN ('secret_version_access', 'secret_version_access_by_path'))
                      AND e.at >= since AND e.at < until AND (after_id IS NULL OR (e.at, e.id) < (after_at, after_id))
                      AND rule.event_matches(e, filter)
                    ORDER BY e.at DESC, e.id DESC LIMIT batch)) AS page
             ORDER BY page.at DESC, page.id DESC LIMIT batch;
    ELSIF filter.principal_id IS NOT NULL AND oldest_first THEN
        RETURN QUERY
            SELECT page.* FROM store.api_key k JOIN store.principal p ON p.id = k.principal_id CROSS JOIN LATERAL (
                   SELECT * FROM audit.event e
                    WHERE e.api_key_id = k.id AND e.organization_id = event_page.organization_id
                      AND e.at >= since AND e.at < until AND (after_id IS NULL OR (e.at, e.id) > (after_at, after_id))
                      AND rule.event_matches(e, filter)
                    ORDER BY e.at, e.id LIMIT batch) AS page
             WHERE k.principal_id = filter.principal_id AND p.organization_id = event_page.organization_id
             ORDER BY page.at, page.id LIMIT batch;
    ELSIF filter.principal_id IS NOT NULL THEN
        RETURN QUERY
            SELECT page.* FROM store.api_key k JOIN store.principal p ON p.id = k.principal_id CROSS JOIN LATERAL (
                   SELECT * FROM audit.event e
                    WHERE e.api_key_id = k.id AND e.organization_id = event_page.organization_id
                      AND e.at >= since AND e.at < until AND (after_id IS NULL OR (e.at, e.id) < (after_at, after_id))
                      AND rule.event_matches(e, filter)
                    ORDER BY e.at DESC, e.id DESC LIMIT batch) AS page
             WHERE k.principal_id = filter.principal_id AND p.organization_id = event_page.organization_id
             ORDER BY page.at DESC, page.id DESC LIMIT batch;
    ELSIF oldest_first THEN
        RETURN QUERY
            SELECT * FROM audit.event e
             WHERE e.organization_id = event_page.organization_id
               AND e.at >= since AND e.at < until AND (after_id IS NULL OR (e.at, e.id) > (after_at, after_id))
               AND rule.event_matches(e, filter)
             ORDER BY e.at, e.id LIMIT batch;
    ELSE
        RETURN QUERY
            SELECT * FROM audit.event e
             WHERE e.organization_id = event_page.organization_id
               AND e.at >= since AND e.at < until AND (after_id IS NULL OR (e.at, e.id) < (after_at, after_id))
               AND rule.event_matches(e, filter)
             ORDER BY e.at DESC, e.id DESC LIMIT batch;
    END IF;
END
$$;
COMMENT ON FUNCTION auditor.event_page(uuid, timestamptz, timestamptz, boolean, timestamptz, bigint, integer, rule.event_filter) IS
    'Gives at most batch events of an organization in [since, until) that match a filter, newest first or oldest_first, beyond the event of after_at and after_id where these are given; for a person, auditor.event is easier.';
