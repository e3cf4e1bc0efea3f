CREATE FUNCTION rule.refusal(caller rule.caller, request jsonb, status smallint, body text)
RETURNS rule.outcome
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_outcome  rule.outcome := (status, body, NULL, NULL, NULL, NULL);
    v_id       CONSTANT text := coalesce(request -> 'path' ->> 'secret_id',
                                         request -> 'path' ->> 'key_id');
    v_revision CONSTANT text := request -> 'path' ->> 'revision';
BEGIN
    IF v_revision ~ '^[1-9][0-9]{0,8}$' THEN
        v_outcome.revision := v_revision;
    END IF;
    -- What a refused call was about: as far as it can be told, and only to its own organization.
    IF v_id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
        v_outcome.secret_id := v_id;
        SELECT s.project_id INTO v_outcome.project_id FROM store.secret s
         WHERE s.id = v_outcome.secret_id AND s.organization_id = caller.organization_id
        UNION ALL
        SELECT k.project_id FROM store.managed_key k
         WHERE k.id = v_outcome.secret_id AND k.organization_id = caller.organization_id;
        v_outcome.snapshot := CASE WHEN request -> 'path' ? 'secret_id' THEN
            rule.snapshot_of_secret(caller.organization_id, v_outcome.secret_id, v_outcome.revision)
        ELSE
            rule.snapshot_of_key(caller.organization_id, v_outcome.secret_id)
        END;
    END IF;
    RETURN v_outcome;
END
$$;
COMMENT ON FUNCTION rule.refusal(rule.caller, jsonb, smallint, text) IS
    'Gives the outcome of a refused call, with the secret and the revision, or the managed key, '
    'that its path names, and a snapshot of it if the caller''s organization has it.';
