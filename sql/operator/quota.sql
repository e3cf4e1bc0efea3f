CREATE FUNCTION operator.quota_set(organization_id uuid, resource text, quota integer)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_before bigint;
BEGIN
    IF (resource IN ('secret', 'secret_version', 'key') AND quota >= 0) IS NOT TRUE THEN
        PERFORM fail.operation_refused('a quota is a number from 0 of secret, secret_version or '
                                       'key',
                                       'pass one of these words as resource');
    ELSIF NOT EXISTS (SELECT FROM store.organization o WHERE o.id = quota_set.organization_id) THEN
        PERFORM fail.operation_refused('there is no such organization',
                                       'operator.organization_create() makes one');
    END IF;
    -- Two at once would both say what was before the first of them.
    PERFORM FROM store.organization o WHERE o.id = quota_set.organization_id FOR NO KEY UPDATE;
    v_before := rule.quota_of(organization_id, resource);
    INSERT INTO store.quota AS q (organization_id, resource, quota)
    VALUES (quota_set.organization_id, quota_set.resource, quota_set.quota)
        ON CONFLICT ON CONSTRAINT quota_pkey DO UPDATE SET quota = excluded.quota;
    PERFORM rule.audit_write_operator('operator.quota_set', quota_set.organization_id, NULL, NULL,
                                      jsonb_build_object('resource', resource, 'quota', quota,
                                                         'before',
                                                             jsonb_build_object('quota',
                                                                 v_before)));
END
$$;
COMMENT ON FUNCTION operator.quota_set(uuid, text, integer) IS
    'Sets how many secrets or keys an organization, or versions (secret_version) each of its '
    'secrets, may have.';
