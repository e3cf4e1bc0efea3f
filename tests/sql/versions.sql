-- Many versions at once, without payloads. Included after setup.sql.

CREATE FUNCTION test.make_versions(secret text, versions integer) RETURNS void LANGUAGE sql AS $$
    INSERT INTO store.version (secret_id, revision, status, description, created_at, updated_at,
                               sealed)
    SELECT test.secret(secret)::uuid, revision, 'enabled', '', now(), now(), '\x01'
      FROM generate_series(1, versions) AS revision
$$;
