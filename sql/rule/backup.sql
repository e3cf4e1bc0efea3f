-- Secrets out of a backup, as `coffer recover` prints them: how a line is read. A line is one
-- version with its secret, without the payload.

CREATE FUNCTION rule.backup_refuse(fault text)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    PERFORM fail.operation_refused('the document is malformed: ' || coalesce(fault, 'no member'),
                                   'pass what `coffer recover` has printed');
END
$$;
COMMENT ON FUNCTION rule.backup_refuse(text) IS
    'Refuses a document that `coffer recover` has not printed, and names the fault.';

CREATE FUNCTION rule.backup_arguments(members jsonb, wanted text[], data bytea)
RETURNS rule.argument
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_refusal text;
BEGIN
    RETURN rule.arguments(jsonb_build_object('path', '{}'::jsonb, 'query', '{}'::jsonb,
                                             'body', members,
                                             'data', CASE WHEN data IS NULL THEN 'absent'
                                                          ELSE 'given' END), wanted, data);
EXCEPTION
    WHEN SQLSTATE 'SM400' THEN
        GET STACKED DIAGNOSTICS v_refusal = PG_EXCEPTION_DETAIL;
        PERFORM rule.backup_refuse(
            (SELECT string_agg(concat(fault ->> 'argument_name', ': ', fault ->> 'help_message'),
                               '; ' ORDER BY place)
               FROM jsonb_array_elements(v_refusal::jsonb -> 'details') WITH ORDINALITY
                    AS t(fault, place)));
END
$$;
COMMENT ON FUNCTION rule.backup_arguments(jsonb, text[], bytea) IS
    'Reads members by the rules for arguments of the API, and words a refusal for the operator.';

CREATE FUNCTION rule.backup_secret(line jsonb)
RETURNS store.secret
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_members  CONSTANT jsonb := CASE jsonb_typeof(line -> 'secret')
                                     WHEN 'object' THEN line -> 'secret' ELSE '{}' END;
    v_argument rule.argument := rule.backup_arguments(
        v_members || jsonb_build_object('secret_id', line -> 'secret_id', 'name', line -> 'name',
                                        'path', line -> 'path'),
        '{body.secret_id!, body.project_id!, body.key_id, body.name!, body.path!, body.type!,
          body.description, body.tags, body.protected, body.ephemeral_policy}', NULL);
    v_secret   store.secret;
BEGIN
    IF coalesce(v_members ->> 'region', '') !~ '^[a-z0-9-]{1,64}$' THEN
        PERFORM rule.backup_refuse('region: value must be a region');
    ELSIF coalesce(v_members ->> 'status', '') NOT IN ('ready', 'locked') THEN
        PERFORM rule.backup_refuse('status: value must be one of ready, locked');
    ELSIF coalesce(v_members ->> 'last_revision', '') !~ '^[0-9]{1,9}$' THEN
        PERFORM rule.backup_refuse('last_revision: value must be a number');
    ELSIF coalesce(v_members ->> 'policy_origin', 'creation')
        NOT IN ('creation', 'replaced', 'added') THEN
        PERFORM rule.backup_refuse('policy_origin: value must be one of creation, replaced, added');
    ELSIF jsonb_typeof(v_members -> 'used_by') IS DISTINCT FROM 'array' THEN
        PERFORM rule.backup_refuse('used_by: value must be a list of strings');
    ELSIF rule.ephemeral_time(coalesce(v_members ->> 'created_at', '')) IS NULL THEN
        PERFORM rule.backup_refuse('created_at: value must be a time in RFC 3339 form');
    END IF;
    v_secret.id := v_argument.secret_id;
    v_secret.project_id := v_argument.project_id;
    v_secret.region := v_members ->> 'region';
    v_secret.path := v_argument.path;
    v_secret.name := v_argument.name;
    v_secret.type := coalesce(v_argument.type, 'opaque');
    v_secret.description := coalesce(v_argument.description, '');
    v_secret.tags := coalesce(v_argument.tags, '{}');
    v_secret.used_by := rule.argument_texts(v_members -> 'used_by');
    v_secret.status := v_members ->> 'status';
    v_secret.protected := coalesce(v_argument.protected, false);
    v_secret.managed_by := v_members ->> 'managed_by';
    v_secret.time_to_live := (v_argument.ephemeral_policy).time_to_live;
    v_secret.expires_once_accessed := (v_argument.ephemeral_policy).expires_once_accessed;
    v_secret.action := (v_argument.ephemeral_policy).action;
    v_secret.policy_origin := CASE WHEN v_secret.action IS NOT NULL
                                   THEN coalesce(v_members ->> 'policy_origin', 'creation') END;
    v_secret.key_id := v_argument.key_id;
    v_secret.last_revision := (v_members ->> 'last_revision')::integer;
    v_secret.created_at := rule.ephemeral_time(v_members ->> 'created_at');
    RETURN v_secret;
END
$$;
COMMENT ON FUNCTION rule.backup_secret(jsonb) IS
    'Reads the secret out of a line, without its organization and the time of its change; one '
    'that was scheduled for deletion is live again. Refuses a malformed line.';

CREATE FUNCTION rule.backup_version(line jsonb, data bytea)
RETURNS store.version
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_members  CONSTANT jsonb := CASE jsonb_typeof(line -> 'version')
                                     WHEN 'object' THEN line -> 'version' ELSE '{}' END;
    v_argument rule.argument := rule.backup_arguments(
        v_members || jsonb_build_object('data_crc32', line -> 'data_crc32'),
        CASE WHEN data IS NULL THEN '{body.description, body.data_crc32}'::text[]
             ELSE '{body.description, body.data_crc32, data.data!}' END, data);
    v_version  store.version;
BEGIN
    IF coalesce(line ->> 'revision', '') !~ '^[1-9][0-9]{0,8}$' THEN
        PERFORM rule.backup_refuse('revision: value must be a number from 1');
    END IF;
    v_version.revision := (line ->> 'revision')::integer;
    v_version.status := coalesce(line ->> 'status', '');
    v_version.status_to_restore := v_members ->> 'status_to_restore';
    IF v_version.status = 'scheduled_for_deletion'
        AND line #>> '{secret,deletion_requested_at}' IS NOT NULL THEN
        v_version.status := coalesce(v_version.status_to_restore, '');
        v_version.status_to_restore := NULL;
    END IF;
    v_version.action := v_members ->> 'action';
    IF v_version.status NOT IN ('enabled', 'disabled', 'scheduled_for_deletion')
        OR (v_version.status = 'scheduled_for_deletion')
           <> (coalesce(v_version.status_to_restore, '') IN ('enabled', 'disabled')) THEN
        PERFORM rule.backup_refuse('status: value must be one of enabled, disabled, '
                                   'scheduled_for_deletion');
    ELSIF v_version.action NOT IN ('disable', 'delete') THEN
        PERFORM rule.backup_refuse('action: value must be one of disable, delete');
    ELSIF jsonb_typeof(v_members -> 'expires_once_accessed')
        IS DISTINCT FROM (CASE WHEN v_version.action IS NULL THEN 'null' ELSE 'boolean' END)
        OR coalesce(jsonb_typeof(v_members -> 'recoverable'), 'boolean') <> 'boolean' THEN
        PERFORM rule.backup_refuse('expires_once_accessed, recoverable: value must be a boolean');
    ELSIF rule.ephemeral_time(coalesce(v_members ->> 'created_at', '')) IS NULL
        OR rule.ephemeral_time(v_members ->> 'expires_at') IS NULL
           AND v_members ->> 'expires_at' IS NOT NULL
        OR v_version.action IS NULL AND v_members ->> 'expires_at' IS NOT NULL THEN
        PERFORM rule.backup_refuse('created_at, expires_at: value must be a time in RFC 3339 form');
    END IF;
    v_version.description := coalesce(v_argument.description, '');
    v_version.expires_at := rule.ephemeral_time(v_members ->> 'expires_at');
    v_version.expires_once_accessed := (v_members ->> 'expires_once_accessed')::boolean;
    -- A backup of an earlier release does not tell.
    v_version.recoverable := coalesce((v_members ->> 'recoverable')::boolean, false);
    v_version.created_at := rule.ephemeral_time(v_members ->> 'created_at');
    v_version.updated_at := clock_timestamp();
    -- The time until its purge begins anew.
    v_version.deletion_requested_at := CASE WHEN v_version.status = 'scheduled_for_deletion'
                                            THEN v_version.updated_at END;
    RETURN v_version;
END
$$;
COMMENT ON FUNCTION rule.backup_version(jsonb, bytea) IS
    'Reads the version out of a line, and checks its payload if that is given. A version that was '
    'scheduled for deletion with its secret has its earlier status again. Refuses a malformed '
    'line.';

CREATE FUNCTION rule.backup_refuse_present(secret store.secret)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_present store.secret;
BEGIN
    SELECT * INTO v_present FROM store.secret s WHERE s.id = secret.id FOR UPDATE;
    IF FOUND AND v_present.deletion_requested_at IS NOT NULL THEN
        PERFORM fail.operation_refused(
            format('secret %s is here, and scheduled for deletion', secret.id),
            'restore it through the API, or operator.secret_restore() after its purge');
    ELSIF FOUND THEN
        PERFORM fail.operation_refused(format('secret %s is here, and live', secret.id),
                                       'write an older value to it as a new version');
    ELSIF EXISTS (SELECT FROM store.secret s
                   WHERE s.project_id = secret.project_id AND s.region = secret.region
                     AND s.path = secret.path AND s.name = secret.name
                     AND s.deletion_requested_at IS NULL) THEN
        PERFORM rule.backup_refuse_name(secret);
    END IF;
END
$$;
COMMENT ON FUNCTION rule.backup_refuse_present(store.secret) IS
    'Refuses a secret whose id, or whose name in its path, a secret of this database has.';

CREATE FUNCTION rule.backup_refuse_name(secret store.secret)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    PERFORM fail.operation_refused(
        format('another live secret has the name and path of secret %s', secret.id),
        'rename that one, or give another name in the document');
END
$$;
COMMENT ON FUNCTION rule.backup_refuse_name(store.secret) IS
    'Refuses a name that another live secret of the path has.';

CREATE FUNCTION rule.backup_require_room(secret store.secret, versions integer)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_quota bigint := rule.quota_of(secret.organization_id, 'secret');
BEGIN
    -- The lock makes creates of one organization wait for each other, so that the quota is exact.
    PERFORM FROM store.organization o WHERE o.id = secret.organization_id FOR NO KEY UPDATE;
    IF rule.quota_used(secret.organization_id) >= v_quota THEN
        PERFORM fail.operation_refused(
            format('the organization has %s secrets already, which is its quota', v_quota),
            'operator.quota_set() raises it');
    END IF;
    v_quota := rule.quota_of(secret.organization_id, 'secret_version');
    IF versions > v_quota THEN
        PERFORM fail.operation_refused(
            format('secret %s has %s versions, and its quota is %s', secret.id, versions, v_quota),
            'operator.quota_set() raises it');
    END IF;
END
$$;
COMMENT ON FUNCTION rule.backup_require_room(store.secret, integer) IS
    'Refuses a secret with so many versions for which a quota has no room.';

CREATE FUNCTION rule.backup_require_kek(secret store.secret, document jsonb, key bytea)
RETURNS uuid
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    IF secret.key_id IS NOT NULL THEN
        PERFORM rule.managed_key_require_for_secret(secret.key_id, secret.project_id,
                                                    secret.region);
    END IF;
    RETURN rule.key_for_new_version(secret, document, key);
EXCEPTION
    WHEN SQLSTATE 'SM404' THEN
        PERFORM fail.operation_refused(
            format('managed key %s of secret %s is not in the project', secret.key_id, secret.id),
            'set key_id to null in the document: the key of the project is taken then');
    WHEN SQLSTATE 'SM412' THEN
        PERFORM fail.operation_refused(
            format('managed key %s of secret %s is not enabled', secret.key_id, secret.id),
            'enable or restore the key, or set key_id to null in the document');
    WHEN SQLSTATE 'SM101' THEN
        PERFORM fail.operation_refused(
            format('no loaded root key unwraps the key of secret %s', secret.id),
            'load the root keys that the daemons have');
END
$$;
COMMENT ON FUNCTION rule.backup_require_kek(store.secret, jsonb, bytea) IS
    'Gives the id of the key-encryption key for the versions of a secret, as '
    'rule.key_for_new_version does, and words its refusals for the operator. Challenges the '
    'command for the wrap key.';
