CREATE FUNCTION operator.secret_lock(secret_id uuid)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_secret store.secret;
BEGIN
    UPDATE store.secret s SET status = 'locked' WHERE s.id = secret_lock.secret_id RETURNING * INTO v_secret;
    IF NOT FOUND THEN
        PERFORM fail.operation_refused('there is no such secret', 'it may have been purged');
    END IF;
    PERFORM rule.audit_write_job('operator.secret_lock', v_secret, NULL);
END
$$;
COMMENT ON FUNCTION operator.secret_lock(uuid) IS
    'Locks a secret: its metadata can be read, anything else is refused.';

CREATE FUNCTION operator.secret_unlock(secret_id uuid)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_secret store.secret;
BEGIN
    UPDATE store.secret s SET status = 'ready' WHERE s.id = secret_unlock.secret_id RETURNING * INTO v_secret;
    IF NOT FOUND THEN
        PERFORM fail.operation_refused('there is no such secret', 'it may have been purged');
    END IF;
    PERFORM rule.audit_write_job('operator.secret_unlock', v_secret, NULL);
END
$$;
COMMENT ON FUNCTION operator.secret_unlock(uuid) IS
    'Takes the lock off a secret.';

CREATE FUNCTION operator.secret_manage(secret_id uuid, product text)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_secret store.secret;
BEGIN
    IF coalesce(product, '') = '' THEN
        PERFORM fail.operation_refused('a managed secret needs a product', 'pass its name');
    END IF;
    UPDATE store.secret s SET managed_by = product WHERE s.id = secret_manage.secret_id RETURNING * INTO v_secret;
    IF NOT FOUND THEN
        PERFORM fail.operation_refused('there is no such secret', 'it may have been purged');
    END IF;
    PERFORM rule.audit_write_job('operator.secret_manage', v_secret, NULL);
END
$$;
COMMENT ON FUNCTION operator.secret_manage(uuid, text) IS
    'Marks a secret as managed by a product, which alone may change or delete it; product is a word of the operators own.';

CREATE FUNCTION operator.secret_unmanage(secret_id uuid)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_secret store.secret;
BEGIN
    UPDATE store.secret s SET managed_by = NULL WHERE s.id = secret_unmanage.secret_id RETURNING * INTO v_secret;
    IF NOT FOUND THEN
        PERFORM fail.operation_refused('there is no such secret', 'it may have been purged');
    END IF;
    PERFORM rule.audit_write_job('operator.secret_unmanage', v_secret, NULL);
END
$$;
COMMENT ON FUNCTION operator.secret_unmanage(uuid) IS
    'Gives a managed secret back to the callers of the API.';
