-- What was refused, to whom and why.

CREATE FUNCTION auditor.refusals(since timestamptz DEFAULT now() - interval '1 day',
                                 until timestamptz DEFAULT 'infinity')
RETURNS TABLE (principal_id uuid, principal text, error text, api_key text, method text,
               refused bigint, first_at timestamptz,
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
     WHERE e.error IS NOT NULL AND e.at >= since AND e.at < until AND auditor.alone_refuse()
     GROUP BY e.principal_id, p.name, e.error, r.api_key, e.method
     ORDER BY count(*) DESC, p.name, e.error, r.api_key, e.method
$$;
COMMENT ON FUNCTION auditor.refusals(timestamptz, timestamptz) IS
    'Counts the refusals by principal, reason and method, with up to ten of the addresses they '
    'came from; where the API key was refused (denied_authentication), api_key is revoked, '
    'expired or unknown, and principal_id null if unknown; by default of the last day.';
