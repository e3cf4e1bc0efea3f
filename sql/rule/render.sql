-- The shapes of the API: members in the order of the contract, all of them always present.

CREATE FUNCTION rule.render_time(at timestamptz)
RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;
COMMENT ON FUNCTION rule.render_time(timestamptz) IS
    'Writes a time as RFC 3339 in UTC with six fraction digits.';

CREATE FUNCTION rule.render_duration(nanoseconds bigint)
RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT nanoseconds / 1000000000 || CASE
        WHEN nanoseconds % 1000000000 = 0 THEN ''
        WHEN nanoseconds % 1000000 = 0 THEN to_char(nanoseconds / 1000000 % 1000, 'FM"."000')
        WHEN nanoseconds % 1000 = 0 THEN to_char(nanoseconds / 1000 % 1000000, 'FM"."000000')
        ELSE to_char(nanoseconds % 1000000000, 'FM"."000000000')
    END || 's'
$$;
COMMENT ON FUNCTION rule.render_duration(bigint) IS
    'Writes nanoseconds as seconds with no, 3, 6 or 9 fraction digits, as few as hold the value.';

CREATE FUNCTION rule.render_policy(secret store.secret)
RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN CASE WHEN secret.action IS NOT NULL THEN
        (SELECT row_to_json(shape)
           FROM (SELECT rule.render_duration(secret.time_to_live) AS time_to_live,
                        secret.expires_once_accessed, secret.action) AS shape)
    END;
END
$$;
COMMENT ON FUNCTION rule.render_policy(store.secret) IS
    'Writes the ephemeral policy of a secret, null if it has none.';

-- The domain is a setting of the daemon, as /metadata tells it, and comes with the request.
CREATE FUNCTION rule.render_srn(request jsonb, product text, region text, resource text)
RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
    SELECT 'srn://' || product || '.' || (request ->> 'domain') || '/regions/' || region || '/'
           || resource
$$;
COMMENT ON FUNCTION rule.render_srn(jsonb, text, text, text) IS
    'Writes the name of a resource that is unique among all regions and products; null for a '
    'daemon of an earlier release, which does not tell its domain.';

CREATE FUNCTION rule.render_secret(secret store.secret, request jsonb)
RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (SELECT row_to_json(shape)
              FROM (SELECT secret.id,
                           rule.render_srn(request, 'secret-manager', secret.region,
                                           'secrets/' || secret.id) AS srn,
                           secret.project_id,
                           secret.name,
                           secret.status,
                           rule.render_time(secret.created_at) AS created_at,
                           rule.render_time(secret.updated_at) AS updated_at,
                           secret.tags,
                           (SELECT count(*) FROM rule.version_now v WHERE v.secret_id = secret.id)
                               AS version_count,
                           secret.description,
                           secret.managed_by IS NOT NULL AS managed,
                           secret.type,
                           secret.protected,
                           secret.path,
                           rule.render_policy(secret) AS ephemeral_policy,
                           secret.used_by,
                           rule.render_time(secret.deletion_requested_at) AS deletion_requested_at,
                           secret.key_id,
                           secret.region) AS shape);
END
$$;
COMMENT ON FUNCTION rule.render_secret(store.secret, jsonb) IS 'Writes the shape Secret.';

CREATE FUNCTION rule.render_version(region text, version rule.version_now, latest boolean,
                                    request jsonb)
RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (SELECT row_to_json(shape)
              FROM (SELECT version.revision,
                           rule.render_srn(request, 'secret-manager', region,
                                    'secrets/' || version.secret_id || '/versions/'
                                        || version.revision) AS srn,
                           version.secret_id,
                           version.status,
                           rule.render_time(version.created_at) AS created_at,
                           rule.render_time(version.updated_at) AS updated_at,
                           NULL AS deleted_at,
                           version.description,
                           latest,
                           CASE WHEN version.action IS NOT NULL THEN
                               (SELECT row_to_json(properties)
                                  FROM (SELECT rule.render_time(version.expires_at) AS expires_at,
                                               version.expires_once_accessed,
                                                   version.action) AS properties)
                           END AS ephemeral_properties,
                           rule.render_time(version.deletion_requested_at) AS deletion_requested_at,
                           region) AS shape);
END
$$;
COMMENT ON FUNCTION rule.render_version(text, rule.version_now, boolean, jsonb) IS
    'Writes the shape Version; latest tells whether it is the highest revision of its secret. '
    'deleted_at is always null: what is deleted is not there.';

CREATE FUNCTION rule.render_browse_item(name text, created_at timestamptz, updated_at timestamptz,
                                        secret store.secret)
RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN CASE WHEN secret.id IS NULL THEN
        (SELECT row_to_json(shape)
           FROM (SELECT name, rule.render_time(created_at) AS created_at,
                 rule.render_time(updated_at) AS updated_at,
                        '{}'::json AS folder) AS shape)
    ELSE
        (SELECT row_to_json(shape)
           FROM (SELECT name, rule.render_time(created_at) AS created_at,
                 rule.render_time(updated_at) AS updated_at,
                        (SELECT row_to_json(details)
                           FROM (SELECT secret.id, secret.tags,
                                        (SELECT count(*) FROM rule.version_now v
                                         WHERE v.secret_id = secret.id) AS version_count,
                                        secret.protected,
                                            rule.render_policy(secret) AS ephemeral_policy,
                                        secret.type) AS details) AS secret) AS shape)
    END;
END
$$;
COMMENT ON FUNCTION rule.render_browse_item(text, timestamptz, timestamptz, store.secret) IS
    'Writes one item of a browse answer: a folder where there is no secret.';

CREATE FUNCTION rule.render_managed_key(key store.managed_key, request jsonb)
RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (SELECT row_to_json(shape)
              FROM (SELECT key.id,
                           rule.render_srn(request, 'key-manager', key.region, 'keys/' || key.id)
                               AS srn,
                           key.project_id,
                           key.name,
                           '{"symmetric_encryption":"aes_256_gcm"}'::json AS usage,
                           rule.managed_key_state(key) AS state,
                           key.rotation_count,
                           rule.render_time(key.created_at) AS created_at,
                           rule.render_time(key.updated_at) AS updated_at,
                           key.protected,
                           false AS locked,
                           key.description,
                           key.tags,
                           rule.render_time(key.rotated_at) AS rotated_at,
                           CASE WHEN key.rotation_period IS NOT NULL THEN
                               (SELECT row_to_json(policy)
                                  FROM (SELECT rule.render_duration(key.rotation_period)
                                        AS rotation_period,
                                               rule.render_time(key.next_rotation_at)
                                                   AS next_rotation_at) AS policy)
                           END AS rotation_policy,
                           'scaleway_kms' AS origin,
                           rule.render_time(key.deletion_requested_at) AS deletion_requested_at,
                           'software' AS protection_level,
                           key.region) AS shape);
END
$$;
COMMENT ON FUNCTION rule.render_managed_key(store.managed_key, jsonb) IS 'Writes the shape Key.';

CREATE FUNCTION rule.render_rotation(rotation rule.rotation)
RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (SELECT row_to_json(shape)
              FROM (SELECT rotation.rotation, rotation.kek_id, rotation.root_id,
                           translate(encode(rotation.wrapped, 'base64'), E'\n', '') AS wrapped)
                               AS shape);
END
$$;
COMMENT ON FUNCTION rule.render_rotation(rule.rotation) IS
    'Writes for the daemon a rotation of a key, wrapped as it is.';
