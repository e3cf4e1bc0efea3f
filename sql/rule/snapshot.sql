-- What an event may show of the secret, the version or the key that it concerned: what was true
-- when it happened. It is kept in the row of the event, so that nothing later, and nothing of
-- another organization, is ever shown in its place.

CREATE FUNCTION rule.snapshot(secret store.secret)
RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN jsonb_strip_nulls(jsonb_build_object('name', secret.name, 'path', secret.path, 'key_id',
                                                secret.key_id,
                                                'created_at', rule.render_time(secret.created_at),
                                                'updated_at', rule.render_time(secret.updated_at)));
END
$$;
COMMENT ON FUNCTION rule.snapshot(store.secret) IS
    'Gives what events may show of a secret: its name, its path, the id of its managed key and '
    'its times.';

CREATE FUNCTION rule.snapshot(secret store.secret, created_at timestamptz, updated_at timestamptz)
RETURNS jsonb
LANGUAGE sql STABLE
AS $$
    SELECT jsonb_build_object('name', secret.name, 'created_at', rule.render_time(created_at),
                              'updated_at', rule.render_time(updated_at))
$$;
COMMENT ON FUNCTION rule.snapshot(store.secret, timestamptz, timestamptz) IS
    'Gives what events may show of a version: the name of its secret and its own times, null if '
    'it does not exist.';

CREATE FUNCTION rule.snapshot(key store.managed_key)
RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN jsonb_build_object('name', key.name, 'created_at', rule.render_time(key.created_at),
                              'updated_at', rule.render_time(key.updated_at));
END
$$;
COMMENT ON FUNCTION rule.snapshot(store.managed_key) IS
    'Gives what events may show of a managed key: its name and its times.';

CREATE FUNCTION rule.snapshot_of_secret(organization_id uuid, secret_id uuid, revision integer)
RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (SELECT CASE WHEN snapshot_of_secret.revision IS NULL THEN rule.snapshot(s)
                        ELSE rule.snapshot(s, v.created_at, v.updated_at) END
              FROM store.secret s
              LEFT JOIN rule.version_now v ON v.secret_id = s.id
                  AND v.revision = snapshot_of_secret.revision
             WHERE s.id = snapshot_of_secret.secret_id
               AND s.organization_id = snapshot_of_secret.organization_id);
END
$$;
COMMENT ON FUNCTION rule.snapshot_of_secret(uuid, uuid, integer) IS
    'Gives the snapshot of a secret or, with a revision, of a version, as it is now; null if the '
    'organization does not have the secret.';

CREATE FUNCTION rule.snapshot_of_key(organization_id uuid, key_id uuid)
RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (SELECT rule.snapshot(k) FROM store.managed_key k
             WHERE k.id = snapshot_of_key.key_id
               AND k.organization_id = snapshot_of_key.organization_id);
END
$$;
COMMENT ON FUNCTION rule.snapshot_of_key(uuid, uuid) IS
    'Gives the snapshot of a managed key as it is now; null if the organization does not have it.';
