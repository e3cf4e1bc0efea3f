CREATE FUNCTION operator.secret_lock(secret_id uuid)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_secret store.secret;
BEGIN
    SELECT * INTO v_secret FROM store.secret s WHERE s.id = secret_lock.secret_id FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM fail.operation_refused('there is no such secret', 'it may have been purged');
    END IF;
    UPDATE store.secret s SET status = 'locked' WHERE s.id = v_secret.id;
    PERFORM rule.audit_write_job('operator.secret_lock', v_secret, NULL,
                                 jsonb_build_object('before',
                                                    jsonb_build_object('status', v_secret.status)));
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
    SELECT * INTO v_secret FROM store.secret s WHERE s.id = secret_unlock.secret_id FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM fail.operation_refused('there is no such secret', 'it may have been purged');
    END IF;
    UPDATE store.secret s SET status = 'ready' WHERE s.id = v_secret.id;
    PERFORM rule.audit_write_job('operator.secret_unlock', v_secret, NULL,
                                 jsonb_build_object('before',
                                                    jsonb_build_object('status', v_secret.status)));
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
    SELECT * INTO v_secret FROM store.secret s WHERE s.id = secret_manage.secret_id FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM fail.operation_refused('there is no such secret', 'it may have been purged');
    END IF;
    UPDATE store.secret s SET managed_by = product WHERE s.id = v_secret.id;
    PERFORM rule.audit_write_job('operator.secret_manage', v_secret, NULL,
                                 jsonb_build_object('product', product, 'before',
                                                    jsonb_build_object('managed_by',
                                                        v_secret.managed_by)));
END
$$;
COMMENT ON FUNCTION operator.secret_manage(uuid, text) IS
    'Marks a secret as managed by a product, which alone may change or delete it; product is a '
    'word of the operators own.';

CREATE FUNCTION operator.secret_unmanage(secret_id uuid)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_secret store.secret;
BEGIN
    SELECT * INTO v_secret FROM store.secret s WHERE s.id = secret_unmanage.secret_id FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM fail.operation_refused('there is no such secret', 'it may have been purged');
    END IF;
    UPDATE store.secret s SET managed_by = NULL WHERE s.id = v_secret.id;
    PERFORM rule.audit_write_job('operator.secret_unmanage', v_secret, NULL,
                                 jsonb_build_object('before',
                                                    jsonb_build_object('managed_by',
                                                        v_secret.managed_by)));
END
$$;
COMMENT ON FUNCTION operator.secret_unmanage(uuid) IS
    'Gives a managed secret back to the callers of the API.';
