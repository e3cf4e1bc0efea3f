-- Who calls, and what a caller may do.

CREATE FUNCTION rule.caller_require(token bytea)
RETURNS rule.caller
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_caller  rule.caller;
    v_expires timestamptz;
BEGIN
    IF octet_length(token) IS DISTINCT FROM 32 THEN
        PERFORM fail.denied_authentication('invalid_argument');
    END IF;
    SELECT p.organization_id, p.id, k.id, k.default_project_id, k.expires_at
      INTO v_caller.organization_id, v_caller.principal_id, v_caller.api_key_id,
           v_caller.default_project_id, v_expires
      FROM store.api_key k
      JOIN store.principal p ON p.id = k.principal_id
     WHERE k.digest = token AND k.revoked_at IS NULL;
    IF NOT FOUND THEN
        PERFORM fail.denied_authentication('not_found');
    ELSIF v_expires <= clock_timestamp() THEN
        PERFORM fail.denied_authentication('expired');
    END IF;
    RETURN v_caller;
END
$$;
COMMENT ON FUNCTION rule.caller_require(bytea) IS
    'Gives the caller whose API key has this digest (32 bytes); refuses an unknown, revoked or '
    'expired one.';

CREATE FUNCTION rule.caller_refused(token bytea)
RETURNS rule.caller
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_caller rule.caller;
BEGIN
    SELECT p.organization_id, p.id, k.id
      INTO v_caller.organization_id, v_caller.principal_id, v_caller.api_key_id
      FROM store.api_key k
      JOIN store.principal p ON p.id = k.principal_id
     WHERE k.digest = token;
    RETURN v_caller;
END
$$;
COMMENT ON FUNCTION rule.caller_refused(bytea) IS
    'Gives whom the API key with this digest belongs to though it is refused, revoked or expired, '
    'for the audit; nobody if there is none.';

CREATE FUNCTION rule.caller_permission_sets(action text, resource text DEFAULT 'secret')
RETURNS text[]
LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE resource WHEN 'key' THEN CASE action
        WHEN 'read' THEN ARRAY['KeyManagerReadOnly', 'KeyManagerFullAccess', 'AllProductsReadOnly',
                               'AllProductsFullAccess']
        WHEN 'create' THEN ARRAY['KeyManagerKeyCreate', 'KeyManagerFullAccess',
                                 'AllProductsFullAccess']
        WHEN 'write' THEN ARRAY['KeyManagerKeyWrite', 'KeyManagerFullAccess',
                                'AllProductsFullAccess']
        WHEN 'delete' THEN ARRAY['KeyManagerKeyDelete', 'KeyManagerFullAccess',
                                 'AllProductsFullAccess']
        WHEN 'restore' THEN ARRAY['KeyManagerKeyRestore', 'KeyManagerFullAccess',
                                  'AllProductsFullAccess']
        WHEN 'encrypt' THEN ARRAY['KeyManagerKeyEncrypt', 'KeyManagerFullAccess',
                                  'AllProductsFullAccess']
        WHEN 'decrypt' THEN ARRAY['KeyManagerKeyDecrypt', 'KeyManagerFullAccess',
                                  'AllProductsFullAccess']
    END ELSE CASE action
        WHEN 'read' THEN ARRAY['SecretManagerReadOnly', 'SecretManagerFullAccess',
                               'AllProductsReadOnly', 'AllProductsFullAccess']
        WHEN 'access' THEN ARRAY['SecretManagerSecretAccess', 'SecretManagerFullAccess',
                                 'AllProductsFullAccess']
        WHEN 'create' THEN ARRAY['SecretManagerSecretCreate', 'SecretManagerFullAccess',
                                 'AllProductsFullAccess']
        WHEN 'write' THEN ARRAY['SecretManagerSecretWrite', 'SecretManagerFullAccess',
                                'AllProductsFullAccess']
        WHEN 'delete' THEN ARRAY['SecretManagerSecretDelete', 'SecretManagerFullAccess',
                                 'AllProductsFullAccess']
        WHEN 'restore' THEN ARRAY['SecretManagerSecretRestore', 'SecretManagerFullAccess',
                                  'AllProductsFullAccess']
        WHEN 'audit' THEN ARRAY['AuditTrailReadOnly', 'AllProductsReadOnly',
                                'AllProductsFullAccess']
        WHEN 'watch' THEN ARRAY['AuditTrailReadOnly', 'SecretManagerReadOnly',
                                'SecretManagerFullAccess',
                                'AllProductsReadOnly', 'AllProductsFullAccess']
    END END
$$;
COMMENT ON FUNCTION rule.caller_permission_sets(text, text) IS
    'Gives the permission sets that allow an action: read (metadata), access (data), create, '
    'write, delete, restore, audit (the events) or watch (changes); on a key: read, create, '
    'write, delete, restore, encrypt or decrypt.';

-- Who may what, in one place: rule.caller_may enforces it, auditor.secret_readers and
-- auditor.key_users explain it. SQL and without SET, so that the planner puts it into the query
-- that calls it.
CREATE FUNCTION rule.caller_rights(principal_id uuid, permission_sets text[], project_id uuid)
RETURNS TABLE (policy_id uuid, policy_name text, permission_set text, organization_wide boolean)
LANGUAGE sql STABLE
AS $$
    SELECT p.id, p.name, r.permission_set, r.project_id IS NULL
      FROM store.policy p
      JOIN store.policy_rule r ON r.policy_id = p.id
     WHERE p.principal_id = caller_rights.principal_id
       AND r.permission_set = ANY (permission_sets)
       AND (r.project_id IS NULL OR r.project_id = caller_rights.project_id)
$$;
COMMENT ON FUNCTION rule.caller_rights(uuid, text[], uuid) IS
    'Gives the rules of policies by which a principal has one of the permission sets on a project '
    'of its own organization or, with null for the project, on all of the organization.';

CREATE FUNCTION rule.caller_may(caller rule.caller, action text, project_id uuid,
                                resource text DEFAULT 'secret')
RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_sets CONSTANT text[] := rule.caller_permission_sets(action, resource);
BEGIN
    RETURN EXISTS (SELECT FROM rule.caller_rights(caller.principal_id, v_sets, project_id));
END
$$;
COMMENT ON FUNCTION rule.caller_may(rule.caller, text, uuid, text) IS
    'Tells whether a policy gives the caller an action, on keys or on secrets, on a project of '
    'its own organization or, with null, on all of it.';

CREATE FUNCTION rule.caller_require_right(caller rule.caller, action text, resource text,
                                          project_id uuid)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF NOT rule.caller_may(caller, action, project_id, resource) THEN
        PERFORM fail.permissions_denied(action, resource);
    END IF;
END
$$;
COMMENT ON FUNCTION rule.caller_require_right(rule.caller, text, text, uuid) IS
    'Refuses a caller without the right to an action on a project of its own organization.';

CREATE FUNCTION rule.caller_require_project(caller rule.caller, action text, resource text,
                                            project_id uuid)
RETURNS uuid
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    -- A project of somebody else looks like one without rights: nothing tells that it exists.
    IF NOT EXISTS (SELECT FROM store.project p
                    WHERE p.id = caller_require_project.project_id
                      AND p.organization_id = caller.organization_id) THEN
        PERFORM fail.permissions_denied(action, resource);
    END IF;
    PERFORM rule.caller_require_right(caller, action, resource, project_id);
    RETURN project_id;
END
$$;
COMMENT ON FUNCTION rule.caller_require_project(rule.caller, text, text, uuid) IS
    'Gives back the project that a request names, once it is in the caller''s organization and '
    'the caller may do the action in it.';

CREATE FUNCTION rule.caller_require_projects(caller rule.caller, argument rule.argument,
                                             action text DEFAULT 'read',
                                     resource text DEFAULT 'secret')
RETURNS uuid[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_sets CONSTANT text[] := rule.caller_permission_sets(action, resource);
    v_projects uuid[];
BEGIN
    IF argument.project_id IS NOT NULL THEN
        v_projects := ARRAY[rule.caller_require_project(caller, action, resource,
                                                        argument.project_id)];
    ELSE
        IF NOT EXISTS (SELECT FROM store.policy p JOIN store.policy_rule r ON r.policy_id = p.id
                        WHERE p.principal_id = caller.principal_id
                          AND r.permission_set = ANY (v_sets)) THEN
            PERFORM fail.permissions_denied(action, resource);
        END IF;
        v_projects := ARRAY(SELECT p.id FROM store.project p
                             WHERE p.organization_id = caller.organization_id
                               AND rule.caller_may(caller, action, p.id, resource));
    END IF;
    IF argument.organization_id <> caller.organization_id THEN
        RETURN '{}';
    END IF;
    RETURN v_projects;
END
$$;
COMMENT ON FUNCTION rule.caller_require_projects(rule.caller, rule.argument, text, text) IS
    'Gives the projects that a list covers: the one asked for, or all on which the caller has the '
    'right to the action; refuses one without it.';

CREATE FUNCTION rule.caller_permission_sets_known()
RETURNS text[]
LANGUAGE sql IMMUTABLE
AS $$
    SELECT array_agg(DISTINCT permission_set)
      FROM unnest('{secret,key}'::text[]) AS resource,
           unnest('{read,access,create,write,delete,restore,encrypt,decrypt,audit,watch}'::text[])
               AS action,
           unnest(rule.caller_permission_sets(action, resource)) AS permission_set
$$;
COMMENT ON FUNCTION rule.caller_permission_sets_known() IS
    'Gives all permission sets that allow anything.';
