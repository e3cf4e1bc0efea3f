-- Versions: what holds at this instant, finding one, and what time and state do to it.

CREATE FUNCTION rule.version_require(secret store.secret, revision text)
RETURNS rule.version_now
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_version rule.version_now;
BEGIN
    IF revision IN ('latest', 'latest_enabled') THEN
        SELECT * INTO v_version FROM rule.version_now v
         WHERE v.secret_id = secret.id
           AND (version_require.revision = 'latest' OR v.status = 'enabled')
         ORDER BY v.revision DESC LIMIT 1;
    ELSE
        SELECT * INTO v_version FROM rule.version_now v
         -- As text: a number beyond those that a revision can have is not found, and no fault.
         WHERE v.secret_id = secret.id AND v.revision::text = version_require.revision;
    END IF;
    IF NOT FOUND THEN
        PERFORM fail.not_found('secret_version', version_require.revision);
    END IF;
    RETURN v_version;
END
$$;
COMMENT ON FUNCTION rule.version_require(store.secret, text) IS
    'Finds a version by its number, latest (the highest revision, whatever its status) or '
    'latest_enabled (the highest enabled one).';

CREATE FUNCTION rule.version_require_status(status text, VARIADIC allowed text[])
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF status <> ALL (allowed) THEN
        PERFORM fail.precondition_failed('resource_not_usable',
            CASE status
                WHEN 'scheduled_for_deletion' THEN 'secret version is scheduled for deletion'
                ELSE 'secret version is ' || status
            END);
    END IF;
END
$$;
COMMENT ON FUNCTION rule.version_require_status(text, text[]) IS
    'Refuses a version whose status is none of those allowed.';

CREATE FUNCTION rule.version_expire(secret store.secret, most bigint DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_now     CONSTANT timestamptz := clock_timestamp();
    v_expired store.version;
    v_count   bigint := 0;
BEGIN
    FOR v_expired IN
        SELECT * FROM store.version v
         WHERE v.secret_id = secret.id AND v.expires_at <= v_now
           AND (v.status = 'enabled' OR v.action = 'delete')
         ORDER BY v.revision
         LIMIT most
           FOR UPDATE
    LOOP
        PERFORM rule.version_act(v_expired, v_expired.expires_at);
        PERFORM rule.audit_write_job('job.version_expire', secret, v_expired.revision);
        v_count := v_count + 1;
    END LOOP;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION rule.version_expire(store.secret, bigint) IS
    'Writes down what time has done to the versions of a secret, which the caller has locked, to '
    'at most so many of them, null: to all; gives their number.';

CREATE FUNCTION rule.version_act(version store.version, at timestamptz)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    IF version.action = 'delete' AND version.recoverable THEN
        -- The time has done its work: after a restore it would do it again. One reader is still all
        -- that it may have.
        UPDATE store.version v
           SET status = 'scheduled_for_deletion',
               status_to_restore = coalesce(v.status_to_restore, v.status),
               deletion_requested_at = coalesce(v.deletion_requested_at, at),
               expires_at = NULL,
               expires_once_accessed = CASE WHEN v.expires_once_accessed THEN true END,
               action = CASE WHEN v.expires_once_accessed THEN v.action END
         WHERE v.secret_id = version.secret_id AND v.revision = version.revision;
    ELSIF version.action = 'delete' THEN
        DELETE FROM store.version v WHERE v.secret_id = version.secret_id
            AND v.revision = version.revision;
    ELSE
        UPDATE store.version v SET status = 'disabled', updated_at = at
         WHERE v.secret_id = version.secret_id AND v.revision = version.revision;
    END IF;
END
$$;
COMMENT ON FUNCTION rule.version_act(store.version, timestamptz) IS
    'Carries out the ephemeral action of an enabled or expired version: disables it, schedules it '
    'for deletion, or removes it with its key.';
