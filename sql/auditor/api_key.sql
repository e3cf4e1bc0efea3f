-- What was called with an API key, and which keys are not used or expire.

CREATE FUNCTION auditor.api_key_events(access_key text,
                                       since timestamptz DEFAULT now() - interval '1 day',
                                       until timestamptz DEFAULT 'infinity')
RETURNS SETOF audit.event
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT e.* FROM audit.event e
     WHERE e.api_key_id = (SELECT k.id FROM store.api_key k
                           WHERE k.access_key = api_key_events.access_key)
       AND e.at >= since AND e.at < until AND auditor.alone_refuse()
     ORDER BY e.at DESC, e.id DESC
$$;
COMMENT ON FUNCTION auditor.api_key_events(text, timestamptz, timestamptz) IS
    'Lists everything that was called with an API key, by its access key; the newest first; by '
    'default of the last day.';

CREATE VIEW auditor.api_key AS
SELECT k.id AS api_key_id, k.access_key, k.description, k.principal_id, p.kind, p.name AS principal,
       p.organization_id,
       k.created_at, k.expires_at, k.revoked_at,
       -- Without the empty months to come; a day is more than the clocks of two servers differ.
       (SELECT e.at FROM audit.event e WHERE e.api_key_id = k.id AND e.at < now() + interval '1 day'
         ORDER BY e.at DESC LIMIT 1) AS used_at
  FROM store.api_key k
  JOIN store.principal p ON p.id = k.principal_id
 WHERE auditor.alone_refuse();
COMMENT ON VIEW auditor.api_key IS
    'Each API key with its principal and the last time it was used, if only to be refused, as far '
    'back as the audit is kept; null: never.';

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
     WHERE k.revoked_at IS NULL AND k.expires_at > now()
       AND k.expires_at <= now() + days * interval '1 day'
     ORDER BY k.expires_at
$$;
COMMENT ON FUNCTION auditor.api_keys_expiring(integer) IS
    'Lists the API keys that work and expire in the next so many days, the first to expire first.';
