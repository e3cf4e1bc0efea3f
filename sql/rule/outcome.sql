-- What an endpoint gives to its door: the answer, and what it concerned.

CREATE FUNCTION rule.outcome(status integer, body text, secret store.secret, revision integer DEFAULT NULL)
RETURNS rule.outcome
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    RETURN (status, body, secret.project_id, secret.id, revision)::rule.outcome;
END
$$;
COMMENT ON FUNCTION rule.outcome(integer, text, store.secret, integer) IS
    'Makes the outcome of a call that concerned a secret or, with a revision, one of its versions; body is JSON, null for none.';

CREATE FUNCTION rule.outcome(status integer, body text, project_id uuid)
RETURNS rule.outcome
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    RETURN (status, body, project_id, NULL, NULL)::rule.outcome;
END
$$;
COMMENT ON FUNCTION rule.outcome(integer, text, uuid) IS
    'Makes the outcome of a call that concerned a project or, with null, several.';

CREATE FUNCTION rule.outcome(status integer, body text, key store.managed_key)
RETURNS rule.outcome
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    RETURN (status, body, key.project_id, key.id, NULL)::rule.outcome;
END
$$;
COMMENT ON FUNCTION rule.outcome(integer, text, store.managed_key) IS
    'Makes the outcome of a call that concerned a managed key, whose id stands where that of a secret does: the method tells them apart.';
