-- What a principal called, which secrets it can read, and which managed keys it can use.

CREATE FUNCTION auditor.principal_events(principal_id uuid,
                                         since timestamptz DEFAULT now() - interval '1 day',
                                         until timestamptz DEFAULT 'infinity')
RETURNS SETOF audit.event
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT all_of_them.*
      FROM (SELECT e.* FROM store.api_key k JOIN audit.event e ON e.api_key_id = k.id
             WHERE k.principal_id = principal_events.principal_id AND e.at >= since AND e.at < until
            UNION ALL
            SELECT e.* FROM audit.event e
             WHERE e.principal_id = principal_events.principal_id AND e.api_key_id IS NULL
               AND e.at >= since AND e.at < until) AS all_of_them
     WHERE auditor.alone_refuse()
     ORDER BY all_of_them.at DESC, all_of_them.id DESC
$$;
COMMENT ON FUNCTION auditor.principal_events(uuid, timestamptz, timestamptz) IS
    'Lists everything that a principal called with any of its API keys, and what operators did to '
    'it (api_key_id is null); the newest first; by default of the last day.';

CREATE FUNCTION auditor.principal_secrets(principal_id uuid)
RETURNS TABLE (secret_id uuid, project_id uuid, path text, name text, policy_id uuid, policy text,
               permission_set text,
               organization_wide boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.id, s.project_id, s.path, s.name, r.policy_id, r.policy_name, r.permission_set,
           r.organization_wide
      FROM store.principal p
      JOIN store.secret s ON s.organization_id = p.organization_id
     CROSS JOIN rule.caller_rights(p.id, rule.caller_permission_sets('access'), s.project_id) AS r
     WHERE p.id = principal_secrets.principal_id AND auditor.alone_refuse()
     ORDER BY s.project_id, s.path, s.name, r.policy_name, r.permission_set
$$;
COMMENT ON FUNCTION auditor.principal_secrets(uuid) IS
    'Lists the secrets whose value a principal can read, and through which policy and permission '
    'set.';

CREATE FUNCTION auditor.principal_keys(principal_id uuid)
RETURNS TABLE (key_id uuid, project_id uuid, name text, action text, policy_id uuid, policy text,
               permission_set text,
               organization_wide boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT m.id, m.project_id, m.name, a.action, r.policy_id, r.policy_name, r.permission_set,
           r.organization_wide
      FROM store.principal p
      JOIN store.managed_key m ON m.organization_id = p.organization_id
     CROSS JOIN unnest('{encrypt,decrypt}'::text[]) AS a(action)
     CROSS JOIN rule.caller_rights(p.id, rule.caller_permission_sets(a.action, 'key'), m.project_id)
                AS r
     WHERE p.id = principal_keys.principal_id AND auditor.alone_refuse()
     ORDER BY m.project_id, m.name, m.id, a.action, r.policy_name, r.permission_set
$$;
COMMENT ON FUNCTION auditor.principal_keys(uuid) IS
    'Lists the managed keys that a principal can encrypt or decrypt with, and through which '
    'policy and permission set.';
