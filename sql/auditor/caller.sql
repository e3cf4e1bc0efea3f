-- What callers did, and what was refused to them.

CREATE FUNCTION auditor.api_key_events(access_key text, since timestamptz DEFAULT now() - interval '1 day',
                                       until timestamptz DEFAULT 'infinity')
RETURNS SETOF audit.event
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT e.* FROM audit.event e
     WHERE e.api_key_id = (SELECT k.id FROM store.api_key k WHERE k.access_key = api_key_events.access_key)
       AND e.at >= since AND e.at < until
     ORDER BY e.at DESC, e.id DESC
$$;
COMMENT ON FUNCTION auditor.api_key_events(text, timestamptz, timestamptz) IS
    'Lists everything that was called with an API key, by its access key; the newest first; by default of the last day.';

CREATE FUNCTION auditor.principal_events(principal_id uuid, since timestamptz DEFAULT now() - interval '1 day',
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
     ORDER BY all_of_them.at DESC, all_of_them.id DESC
$$;
COMMENT ON FUNCTION auditor.principal_events(uuid, timestamptz, timestamptz) IS
    'Lists everything that a principal called with any of its API keys, and what operators did to it (api_key_id is null); the newest first; by default of the last day.';

CREATE FUNCTION auditor.refusals(since timestamptz DEFAULT now() - interval '1 day', until timestamptz DEFAULT 'infinity')
RETURNS TABLE (principal_id uuid, principal text, error text, api_key text, method text, refused bigint, first_at timestamptz,
               last_at timestamptz, ips inet[])
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT e.principal_id, p.name, e.error, r.api_key, e.method, count(*), min(e.at), max(e.at),
           (array_agg(DISTINCT e.ip))[1:10]
      FROM audit.event e
      LEFT JOIN store.principal p ON p.id = e.principal_id
      LEFT JOIN store.api_key k ON k.id = e.api_key_id
     CROSS JOIN LATERAL (SELECT CASE WHEN e.error <> 'denied_authentication' THEN NULL
                                     WHEN e.api_key_id IS NULL THEN 'unknown'
                                     WHEN k.revoked_at <= e.at THEN 'revoked'
                                     ELSE 'expired' END) AS r(api_key)
     WHERE e.error IS NOT NULL AND e.at >= since AND e.at < until
     GROUP BY e.principal_id, p.name, e.error, r.api_key, e.method
     ORDER BY count(*) DESC, p.name, e.error, r.api_key, e.method
$$;
COMMENT ON FUNCTION auditor.refusals(timestamptz, timestamptz) IS
    'Counts the refusals by principal, reason and method, with up to ten of the addresses they came from; where the API key was refused (denied_authentication), api_key is revoked, expired or unknown, and principal_id null if unknown; by default of the last day.';

CREATE VIEW auditor.api_key AS
SELECT k.id AS api_key_id, k.access_key, k.description, k.principal_id, p.kind, p.name AS principal, p.organization_id,
       k.created_at, k.expires_at, k.revoked_at,
       -- Without the empty months to come; a day is more than the clocks of two servers differ.
       (SELECT e.at FROM audit.event e WHERE e.api_key_id = k.id AND e.at < now() + interval '1 day'
         ORDER BY e.at DESC LIMIT 1) AS used_at
  FROM store.api_key k
  JOIN store.principal p ON p.id = k.principal_id;
COMMENT ON VIEW auditor.api_key IS
    'Each API key with its principal and the last time it was used, if only to be refused, as far back as the audit is kept; null: never.';

CREATE FUNCTION auditor.api_keys_unused(days integer DEFAULT 90)
RETURNS SETOF auditor.api_key
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT * FROM auditor.api_key k
     WHERE k.revoked_at IS NULL AND (k.expires_at > now()) IS NOT FALSE
       AND (k.used_at < now() - days * interval '1 day' OR k.used_at IS NULL)
     ORDER BY k.used_at NULLS FIRST, k.created_at
$$;
COMMENT ON FUNCTION auditor.api_keys_unused(integer) IS
    'Lists the API keys that work and were not used in so many days, those that never were first.';

CREATE FUNCTION auditor.api_keys_expiring(days integer DEFAULT 30)
RETURNS SETOF auditor.api_key
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT * FROM auditor.api_key k
     WHERE k.revoked_at IS NULL AND k.expires_at > now() AND k.expires_at <= now() + days * interval '1 day'
     ORDER BY k.expires_at
$$;
COMMENT ON FUNCTION auditor.api_keys_expiring(integer) IS
    'Lists the API keys that work and expire in the next so many days, the first to expire first.';
