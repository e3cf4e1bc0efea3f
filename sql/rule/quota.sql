-- Quotas and the settings of the operator.

CREATE FUNCTION rule.quota_of(organization_id uuid, resource text)
RETURNS bigint
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (SELECT coalesce((SELECT q.quota FROM store.quota q
                              WHERE q.organization_id = quota_of.organization_id
                                AND q.resource = quota_of.resource),
                            CASE quota_of.resource WHEN 'secret' THEN 250 WHEN 'secret_version'
                                THEN 20 WHEN 'key' THEN 250 END));
END
$$;
COMMENT ON FUNCTION rule.quota_of(uuid, text) IS
    'Gives how many secrets or keys an organization, or versions (secret_version) a secret of it, '
    'may have.';

CREATE FUNCTION rule.quota_used(organization_id uuid)
RETURNS bigint
LANGUAGE plpgsql VOLATILE       -- to see what was committed while the caller waited for its lock
AS $$
BEGIN
    RETURN (SELECT coalesce(sum(c.live + c.scheduled), 0) FROM store.secret_count c
             WHERE c.organization_id = quota_used.organization_id);
END
$$;
COMMENT ON FUNCTION rule.quota_used(uuid) IS
    'Tells how many secrets an organization has, scheduled ones included.';

CREATE FUNCTION rule.quota_require_room(organization_id uuid, resource text, current bigint)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_quota CONSTANT bigint := rule.quota_of(organization_id, resource);
BEGIN
    IF current >= v_quota THEN
        PERFORM fail.quotas_exceeded(resource, v_quota, current);
    END IF;
END
$$;
COMMENT ON FUNCTION rule.quota_require_room(uuid, text, bigint) IS
    'Refuses one more of a resource when there are already current of it.';
