-- Who may read what, or use which key, and why: by the rule that decides it when they do.

CREATE FUNCTION auditor.secret_readers(secret_id uuid)
RETURNS TABLE (principal_id uuid, kind text, principal text, policy_id uuid, policy text, permission_set text,
               organization_wide boolean, api_keys bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT p.id, p.kind, p.name, r.policy_id, r.policy_name, r.permission_set, r.organization_wide,
           (SELECT count(*) FROM store.api_key k
             WHERE k.principal_id = p.id AND k.revoked_at IS NULL AND (k.expires_at > now()) IS NOT FALSE)
      FROM store.secret s
      JOIN store.principal p ON p.organization_id = s.organization_id
     CROSS JOIN rule.caller_rights(p.id, rule.caller_permission_sets('access'), s.project_id) AS r
     WHERE s.id = secret_readers.secret_id
     ORDER BY p.name, p.id, r.policy_name, r.permission_set
$$;
COMMENT ON FUNCTION auditor.secret_readers(uuid) IS
    'Lists who can read the value of a secret, and through which policy and permission set: one row for each, by rule.caller_rights, which also decides when they do. api_keys: with how many API keys that work.';

CREATE FUNCTION auditor.principal_secrets(principal_id uuid)
RETURNS TABLE (secret_id uuid, project_id uuid, path text, name text, policy_id uuid, policy text, permission_set text,
               organization_wide boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.id, s.project_id, s.path, s.name, r.policy_id, r.policy_name, r.permission_set, r.organization_wide
      FROM store.principal p
      JOIN store.secret s ON s.organization_id = p.organization_id
     CROSS JOIN rule.caller_rights(p.id, rule.caller_permission_sets('access'), s.project_id) AS r
     WHERE p.id = principal_secrets.principal_id
     ORDER BY s.project_id, s.path, s.name, r.policy_name, r.permission_set
$$;
COMMENT ON FUNCTION auditor.principal_secrets(uuid) IS
    'Lists the secrets whose value a principal can read, and through which policy and permission set.';

CREATE FUNCTION auditor.key_users(key_id uuid)
RETURNS TABLE (principal_id uuid, kind text, principal text, action text, policy_id uuid, policy text, permission_set text,
               organization_wide boolean, api_keys bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT p.id, p.kind, p.name, a.action, r.policy_id, r.policy_name, r.permission_set, r.organization_wide,
           (SELECT count(*) FROM store.api_key k
             WHERE k.principal_id = p.id AND k.revoked_at IS NULL AND (k.expires_at > now()) IS NOT FALSE)
      FROM store.managed_key m
      JOIN store.principal p ON p.organization_id = m.organization_id
     CROSS JOIN unnest('{encrypt,decrypt}'::text[]) AS a(action)
     CROSS JOIN rule.caller_rights(p.id, rule.caller_permission_sets(a.action, 'key'), m.project_id) AS r
     WHERE m.id = key_users.key_id
     ORDER BY p.name, p.id, a.action, r.policy_name, r.permission_set
$$;
COMMENT ON FUNCTION auditor.key_users(uuid) IS
    'Lists who can encrypt (or make data keys) and who can decrypt with a managed key, and through which policy and permission set: one row for each, by rule.caller_rights, which also decides when they do. api_keys: with how many API keys that work. To read a secret under the key (key_id in auditor.version) none of these rights is needed: auditor.secret_readers.';

CREATE FUNCTION auditor.principal_keys(principal_id uuid)
RETURNS TABLE (key_id uuid, project_id uuid, name text, action text, policy_id uuid, policy text, permission_set text,
               organization_wide boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT m.id, m.project_id, m.name, a.action, r.policy_id, r.policy_name, r.permission_set, r.organization_wide
      FROM store.principal p
      JOIN store.managed_key m ON m.organization_id = p.organization_id
     CROSS JOIN unnest('{encrypt,decrypt}'::text[]) AS a(action)
     CROSS JOIN rule.caller_rights(p.id, rule.caller_permission_sets(a.action, 'key'), m.project_id) AS r
     WHERE p.id = principal_keys.principal_id
     ORDER BY m.project_id, m.name, m.id, a.action, r.policy_name, r.permission_set
$$;
COMMENT ON FUNCTION auditor.principal_keys(uuid) IS
    'Lists the managed keys that a principal can encrypt or decrypt with, and through which policy and permission set.';
