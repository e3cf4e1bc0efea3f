-- Secrets: finding one for a caller, and what its state allows.

CREATE FUNCTION rule.secret_require(caller rule.caller, request jsonb, secret_id uuid, action text,
                                resource text DEFAULT 'secret')
RETURNS store.secret
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_secret store.secret;
    v_region CONSTANT text := request ->> 'region';
BEGIN
    SELECT * INTO v_secret FROM store.secret s
     WHERE s.id = secret_id AND s.region = v_region AND s.organization_id = caller.organization_id;
    IF NOT FOUND THEN
        PERFORM fail.not_found('secret', secret_id::text);
    END IF;
    IF NOT rule.caller_may(caller, action, v_secret.project_id) THEN
        PERFORM fail.permissions_denied(action, resource);
    END IF;
    RETURN v_secret;
END
$$;
COMMENT ON FUNCTION rule.secret_require(rule.caller, jsonb, uuid, text, text) IS
    'Finds a secret of the caller''s organization in the region of the request, for an action '
    'that the caller must have a right to; resource is what a refusal names.';

CREATE FUNCTION rule.secret_require_for_change(caller rule.caller, request jsonb, secret_id uuid,
                                               action text,
                                       resource text DEFAULT 'secret')
RETURNS store.secret
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_secret store.secret;
    v_region CONSTANT text := request ->> 'region';
BEGIN
    SELECT * INTO v_secret FROM store.secret s
     WHERE s.id = secret_id AND s.region = v_region AND s.organization_id = caller.organization_id
       FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM fail.not_found('secret', secret_id::text);
    END IF;
    PERFORM rule.caller_require_right(caller, action, resource, v_secret.project_id);
    IF v_secret.managed_by IS NOT NULL THEN
        PERFORM fail.permissions_denied(action, resource);
    END IF;
    PERFORM rule.secret_refuse_locked(v_secret);
    PERFORM rule.version_expire(v_secret);
    RETURN v_secret;
END
$$;
COMMENT ON FUNCTION rule.secret_require_for_change(rule.caller, jsonb, uuid, text, text) IS
    'Does as rule.secret_require, and locks the secret, without which none of its versions '
    'changes; refuses a managed or locked one and lets what has expired expire.';

CREATE FUNCTION rule.secret_require_row(secret_id uuid)
RETURNS store.secret
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_secret store.secret;
BEGIN
    SELECT * INTO v_secret FROM store.secret s WHERE s.id = secret_id FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM fail.not_found('secret', secret_id::text);
    END IF;
    RETURN v_secret;
END
$$;
COMMENT ON FUNCTION rule.secret_require_row(uuid) IS
    'Locks the row of a secret that the caller has found before; refuses one that has gone since.';

CREATE FUNCTION rule.secret_refuse_locked(secret store.secret)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF secret.status = 'locked' THEN
        PERFORM fail.locked('secret', secret.id::text);
    END IF;
END
$$;
COMMENT ON FUNCTION rule.secret_refuse_locked(store.secret) IS
    'Refuses a secret that the operator has locked.';

CREATE FUNCTION rule.secret_is_usable(secret store.secret)
RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
    SELECT secret.status <> 'locked' AND secret.deletion_requested_at IS NULL
$$;
COMMENT ON FUNCTION rule.secret_is_usable(store.secret) IS
    'Tells whether a secret is neither locked nor scheduled for deletion.';

CREATE FUNCTION rule.secret_require_usable(secret store.secret)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    PERFORM rule.secret_refuse_locked(secret);
    IF secret.deletion_requested_at IS NOT NULL THEN
        PERFORM fail.precondition_failed('resource_not_usable', 'secret is scheduled for deletion');
    END IF;
END
$$;
COMMENT ON FUNCTION rule.secret_require_usable(store.secret) IS
    'Refuses a secret that is locked or scheduled for deletion.';

CREATE FUNCTION rule.secret_update_name(secret_id uuid, new_name text, new_path text,
                                        at timestamptz)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    UPDATE store.secret
       SET name = new_name, path = new_path, deletion_requested_at = NULL, updated_at = at
     WHERE id = secret_id;
EXCEPTION
    WHEN unique_violation THEN
        PERFORM rule.secret_refuse_name();
END
$$;
COMMENT ON FUNCTION rule.secret_update_name(uuid, text, text, timestamptz) IS
    'Gives a secret a name and a path and makes it live, which is when both must be unique; '
    'refuses those of another live secret.';

CREATE FUNCTION rule.secret_refuse_name()
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    PERFORM fail.invalid_argument('name', 'format', 'cannot have same secret name in same path');
END
$$;
COMMENT ON FUNCTION rule.secret_refuse_name() IS
    'Refuses a name that a live secret of the path has already; clients test for this text.';

CREATE FUNCTION rule.secret_delete(secret_id uuid)
RETURNS void
LANGUAGE sql VOLATILE
AS $$
    DELETE FROM store.secret WHERE id = secret_id
$$;
COMMENT ON FUNCTION rule.secret_delete(uuid) IS
    'Removes a secret with its versions and their keys, for ever.';
