-- Who read a secret, who can read it, and which secrets nobody reads. The condition on status and
-- method is that of the index event_read, or of event_secret, word for word.

CREATE FUNCTION auditor.secret_reads(secret_id uuid,
                                     since timestamptz DEFAULT now() - interval '30 days',
                                     until timestamptz DEFAULT 'infinity')
RETURNS TABLE (at timestamptz, principal_id uuid, principal text, access_key text, ip inet,
               user_agent text,
               revision integer, event_id bigint, request_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT e.at, e.principal_id, p.name, k.access_key, e.ip, e.user_agent, e.revision, e.id,
           e.request_id
      FROM audit.event e
      LEFT JOIN store.principal p ON p.id = e.principal_id
      LEFT JOIN store.api_key k ON k.id = e.api_key_id
     WHERE e.secret_id = secret_reads.secret_id AND e.at >= since AND e.at < until
       AND e.method IN ('secret_version_access', 'secret_version_access_by_path') AND e.status = 200
     ORDER BY e.at DESC, e.id DESC
$$;
COMMENT ON FUNCTION auditor.secret_reads(uuid, timestamptz, timestamptz) IS
    'Lists who got the value of a secret, when and from where; the newest first; by default of '
    'the last 30 days.';

CREATE VIEW auditor.secret_last_read AS
SELECT s.id AS secret_id, s.organization_id, s.project_id, s.path, s.name, s.created_at,
       e.at AS read_at, e.principal_id, e.api_key_id, e.ip, e.revision
  FROM store.secret s
  LEFT JOIN LATERAL (SELECT e.at, e.principal_id, e.api_key_id, e.ip, e.revision
                       FROM audit.event e
                      WHERE e.secret_id = s.id AND e.status = 200
                        AND e.method IN ('secret_version_access', 'secret_version_access_by_path')
                        -- Leaves out the empty months to come; a day is more than the clocks of two
                        -- servers differ.
                        AND e.at < now() + interval '1 day'
                      ORDER BY e.at DESC LIMIT 1) AS e ON true
 WHERE s.deletion_requested_at IS NULL AND auditor.alone_refuse();
COMMENT ON VIEW auditor.secret_last_read IS
    'Each live secret with the last time its value was given out, as far back as the audit is '
    'kept; null: never. Out of the audit, so that a read writes nothing to the secret.';

CREATE FUNCTION auditor.secrets_unread(days integer DEFAULT 90)
RETURNS SETOF auditor.secret_last_read
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT * FROM auditor.secret_last_read r
     WHERE r.read_at < now() - days * interval '1 day' OR r.read_at IS NULL
     ORDER BY r.read_at NULLS FIRST, r.created_at
$$;
COMMENT ON FUNCTION auditor.secrets_unread(integer) IS
    'Lists the live secrets whose value nobody got in so many days, those that were never read '
    'first; 0 days lists all.';

CREATE FUNCTION auditor.secret_readers(secret_id uuid)
RETURNS TABLE (principal_id uuid, kind text, principal text, policy_id uuid, policy text,
               permission_set text,
               organization_wide boolean, api_keys bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT p.id, p.kind, p.name, r.policy_id, r.policy_name, r.permission_set, r.organization_wide,
           (SELECT count(*) FROM store.api_key k
             WHERE k.principal_id = p.id AND k.revoked_at IS NULL
               AND (k.expires_at > now()) IS NOT FALSE)
      FROM store.secret s
      JOIN store.principal p ON p.organization_id = s.organization_id
     CROSS JOIN rule.caller_rights(p.id, rule.caller_permission_sets('access'), s.project_id) AS r
     WHERE s.id = secret_readers.secret_id AND auditor.alone_refuse()
     ORDER BY p.name, p.id, r.policy_name, r.permission_set
$$;
COMMENT ON FUNCTION auditor.secret_readers(uuid) IS
    'Lists who can read the value of a secret, and through which policy and permission set: one '
    'row for each, by rule.caller_rights, which also decides when they do. api_keys: with how '
    'many API keys that work.';

CREATE FUNCTION auditor.secret_last_revision(secret_id uuid)
RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT max(e.revision) FROM audit.event e
     WHERE e.secret_id = secret_last_revision.secret_id
       AND (e.status <> 200
            OR e.method NOT IN ('secret_version_access', 'secret_version_access_by_path'))
       AND e.status = 200 AND e.method = 'secret_version_create'
$$;
COMMENT ON FUNCTION auditor.secret_last_revision(uuid) IS
    'Gives the highest revision that a secret has ever had, also one that was purged, as far back '
    'as the audit is kept; null: the audit knows of none.';
