-- Who used a managed key. The index of what concerned a secret has the uses of a key too.

CREATE FUNCTION auditor.key_uses(key_id uuid, since timestamptz DEFAULT now() - interval '30 days',
                                 until timestamptz DEFAULT 'infinity')
RETURNS TABLE (at timestamptz, principal_id uuid, principal text, access_key text, ip inet, user_agent text,
               method text, event_id bigint, request_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT e.at, e.principal_id, p.name, k.access_key, e.ip, e.user_agent, e.method, e.id, e.request_id
      FROM audit.event e
      LEFT JOIN store.principal p ON p.id = e.principal_id
      LEFT JOIN store.api_key k ON k.id = e.api_key_id
     WHERE e.secret_id = key_uses.key_id AND e.at >= since AND e.at < until
       AND e.method IN ('key_encrypt', 'key_decrypt', 'key_generate_data_key') AND e.status = 200
     ORDER BY e.at DESC, e.id DESC
$$;
COMMENT ON FUNCTION auditor.key_uses(uuid, timestamptz, timestamptz) IS
    'Lists who encrypted, decrypted or made a data key with a managed key, when and from where; the newest first; by default of the last 30 days. Reads of the secrets under it (key_id in auditor.version) are in auditor.secret_reads.';
