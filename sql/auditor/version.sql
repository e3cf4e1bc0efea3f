-- What there is, and in what state.

CREATE VIEW auditor.version AS
SELECT s.organization_id, s.project_id, v.secret_id, s.path, s.name, v.revision, v.status,
       s.protected, v.created_at,
       v.expires_at, v.expires_once_accessed, v.action, s.key_id,
       v.revision = max(v.revision) OVER (PARTITION BY v.secret_id) AS latest
  FROM rule.version_now v
  JOIN store.secret s ON s.id = v.secret_id
 WHERE auditor.alone_refuse();
COMMENT ON VIEW auditor.version IS
    'Each version as it is at this instant, without its value: age (created_at), protection, '
    'expiry, and the managed key that it is under (key_id; null: one of its project).';

CREATE FUNCTION auditor.versions_old(days integer DEFAULT 365)
RETURNS SETOF auditor.version
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT * FROM auditor.version v
     WHERE v.status = 'enabled' AND v.created_at < now() - days * interval '1 day'
     ORDER BY v.created_at
$$;
COMMENT ON FUNCTION auditor.versions_old(integer) IS
    'Lists the enabled versions that are older than so many days, the oldest first.';

CREATE FUNCTION auditor.versions_unprotected()
RETURNS SETOF auditor.version
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT * FROM auditor.version v
     WHERE v.status = 'enabled' AND NOT v.protected
     ORDER BY v.project_id, v.path, v.name, v.revision
$$;
COMMENT ON FUNCTION auditor.versions_unprotected() IS
    'Lists the enabled versions whose secret is not protected against deletion.';

CREATE FUNCTION auditor.versions_expiring(days integer DEFAULT 30)
RETURNS SETOF auditor.version
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT * FROM auditor.version v
     WHERE v.status = 'enabled' AND v.expires_at <= now() + days * interval '1 day'
     ORDER BY v.expires_at
$$;
COMMENT ON FUNCTION auditor.versions_expiring(integer) IS
    'Lists the enabled versions that expire in the next so many days, the first to expire first.';
