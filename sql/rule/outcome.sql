-- What an endpoint function gives to its API function: the answer, and what it concerned.

CREATE FUNCTION rule.outcome(status integer, body text, secret store.secret)
RETURNS rule.outcome
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (status, body, secret.project_id, secret.id, NULL, rule.snapshot(secret))::rule.outcome;
END
$$;
COMMENT ON FUNCTION rule.outcome(integer, text, store.secret) IS
    'Makes the outcome of a call that concerned a secret; body is JSON, null for none.';

CREATE FUNCTION rule.outcome(status integer, body text, secret store.secret, revision integer,
                             created_at timestamptz,
                             updated_at timestamptz)
RETURNS rule.outcome
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (status, body, secret.project_id, secret.id, revision,
            rule.snapshot(secret, created_at, updated_at))::rule.outcome;
END
$$;
COMMENT ON FUNCTION rule.outcome(integer, text, store.secret, integer, timestamptz, timestamptz) IS
    'Makes the outcome of a call that concerned a version with these times.';

CREATE FUNCTION rule.outcome(status integer, body text, project_id uuid)
RETURNS rule.outcome
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    RETURN (status, body, project_id, NULL, NULL, NULL)::rule.outcome;
END
$$;
COMMENT ON FUNCTION rule.outcome(integer, text, uuid) IS
    'Makes the outcome of a call that concerned a project or, with null, several.';

CREATE FUNCTION rule.outcome(status integer, body text, key store.managed_key)
RETURNS rule.outcome
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (status, body, key.project_id, key.id, NULL, rule.snapshot(key))::rule.outcome;
END
$$;
COMMENT ON FUNCTION rule.outcome(integer, text, store.managed_key) IS
    'Makes the outcome of a call that concerned a managed key, whose id stands where that of a '
    'secret does: the method tells them apart.';

-- After a change: the answer shows what the event shows.

CREATE FUNCTION rule.outcome_of_secret(secret_id uuid, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_secret store.secret;
BEGIN
    SELECT * INTO v_secret FROM store.secret s WHERE s.id = secret_id;
    RETURN rule.outcome(200, rule.render_secret(v_secret, request)::text, v_secret);
END
$$;
COMMENT ON FUNCTION rule.outcome_of_secret(uuid, jsonb) IS
    'Makes the outcome of a call that answers with a secret as it now is.';

CREATE FUNCTION rule.outcome_of_version(secret store.secret, revision integer, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_version rule.version_now;
    v_latest  boolean;
BEGIN
    SELECT v.* INTO v_version FROM rule.version_now v
     WHERE v.secret_id = secret.id AND v.revision = outcome_of_version.revision;
    v_latest := NOT EXISTS (SELECT FROM rule.version_now newer
                             WHERE newer.secret_id = secret.id
                               AND newer.revision > v_version.revision);
    RETURN rule.outcome(200, rule.render_version(secret.region, v_version, v_latest, request)::text,
                        secret, revision,
                        v_version.created_at, v_version.updated_at);
END
$$;
COMMENT ON FUNCTION rule.outcome_of_version(store.secret, integer, jsonb) IS
    'Makes the outcome of a call that answers with a version as it now is.';

CREATE FUNCTION rule.outcome_of_key(key_id uuid, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_key store.managed_key;
BEGIN
    SELECT * INTO v_key FROM store.managed_key k WHERE k.id = outcome_of_key.key_id;
    RETURN rule.outcome(200, rule.render_managed_key(v_key, request)::text, v_key);
END
$$;
COMMENT ON FUNCTION rule.outcome_of_key(uuid, jsonb) IS
    'Makes the outcome of a call that answers with a managed key as it now is.';
