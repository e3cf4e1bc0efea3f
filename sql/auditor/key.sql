-- Who used a managed key, and who can. The index of what concerned a secret has the uses of a key
-- too.

CREATE FUNCTION auditor.key_uses(key_id uuid, since timestamptz DEFAULT now() - interval '30 days',
                                 until timestamptz DEFAULT 'infinity')
RETURNS TABLE (at timestamptz, principal_id uuid, principal text, access_key text, ip inet,
               user_agent text,
               method text, event_id bigint, request_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT e.at, e.principal_id, p.name, k.access_key, e.ip, e.user_agent, e.method, e.id,
           e.request_id
      FROM audit.event e
      LEFT JOIN store.principal p ON p.id = e.principal_id
      LEFT JOIN store.api_key k ON k.id = e.api_key_id
     WHERE e.secret_id = key_uses.key_id AND e.at >= since AND e.at < until
       AND e.method IN ('key_encrypt', 'key_decrypt', 'key_generate_data_key') AND e.status = 200
     ORDER BY e.at DESC, e.id DESC
$$;
COMMENT ON FUNCTION auditor.key_uses(uuid, timestamptz, timestamptz) IS
    'Lists who encrypted, decrypted or made a data key with a managed key, when and from where; '
    'the newest first; by default of the last 30 days. Reads of the secrets under it (key_id in '
    'auditor.version) are in auditor.secret_reads.';

CREATE FUNCTION auditor.key_users(key_id uuid)
RETURNS TABLE (principal_id uuid, kind text, principal text, action text, policy_id uuid,
               policy text, permission_set text,
               organization_wide boolean, api_keys bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT p.id, p.kind, p.name, a.action, r.policy_id, r.policy_name, r.permission_set,
           r.organization_wide,
           (SELECT count(*) FROM store.api_key k
             WHERE k.principal_id = p.id AND k.revoked_at IS NULL
               AND (k.expires_at > now()) IS NOT FALSE)
      FROM store.managed_key m
      JOIN store.principal p ON p.organization_id = m.organization_id
     CROSS JOIN unnest('{encrypt,decrypt}'::text[]) AS a(action)
     CROSS JOIN rule.caller_rights(p.id, rule.caller_permission_sets(a.action, 'key'), m.project_id)
                AS r
     WHERE m.id = key_users.key_id AND auditor.alone_refuse()
     ORDER BY p.name, p.id, a.action, r.policy_name, r.permission_set
$$;
COMMENT ON FUNCTION auditor.key_users(uuid) IS
    'Lists who can encrypt (or make data keys) and who can decrypt with a managed key, and '
    'through which policy and permission set: one row for each, by rule.caller_rights, which also '
    'decides when they do. api_keys: with how many API keys that work. To read a secret under the '
    'key (key_id in auditor.version) none of these rights is needed: auditor.secret_readers.';
