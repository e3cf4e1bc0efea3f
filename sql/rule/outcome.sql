-- What an endpoint gives to its door: the answer, and what it concerned.

CREATE FUNCTION rule.outcome(status integer, body text, secret store.secret, revision integer DEFAULT NULL)
RETURNS rule.outcome
LANGUAGE sql IMMUTABLE
AS $$
    SELECT status::smallint, body, secret.project_id, secret.id, revision
$$;
COMMENT ON FUNCTION rule.outcome(integer, text, store.secret, integer) IS
    'Makes the outcome of a call that concerned a secret or, with a revision, one of its versions; body is JSON, null for none.';

CREATE FUNCTION rule.outcome(status integer, body text, project_id uuid)
RETURNS rule.outcome
LANGUAGE sql IMMUTABLE
AS $$
    SELECT status::smallint, body, project_id, NULL::uuid, NULL::integer
$$;
COMMENT ON FUNCTION rule.outcome(integer, text, uuid) IS
    'Makes the outcome of a call that concerned a project or, with null, several.';
