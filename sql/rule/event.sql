-- Events as the Audit Trail API gives them.

CREATE VIEW rule.method AS
SELECT * FROM (VALUES
    ('secret_create',                 'CreateSecret',                'secret-manager'),
    ('secret_get',                    'GetSecret',                   'secret-manager'),
    ('secret_update',                 'UpdateSecret',                'secret-manager'),
    ('secret_delete',                 'DeleteSecret',                'secret-manager'),
    ('secret_list',                   'ListSecrets',                 'secret-manager'),
    ('secret_browse',                 'BrowseSecrets',               'secret-manager'),
    ('secret_protect',                'ProtectSecret',               'secret-manager'),
    ('secret_unprotect',              'UnprotectSecret',             'secret-manager'),
    ('secret_add_owner',              'AddSecretOwner',              'secret-manager'),
    ('secret_restore',                'RestoreSecret',               'secret-manager'),
    ('secret_version_create',         'CreateSecretVersion',         'secret-manager'),
    ('secret_version_get',            'GetSecretVersion',            'secret-manager'),
    ('secret_version_update',         'UpdateSecretVersion',         'secret-manager'),
    ('secret_version_delete',         'DeleteSecretVersion',         'secret-manager'),
    ('secret_version_list',           'ListSecretVersions',          'secret-manager'),
    ('secret_version_access',         'AccessSecretVersion',         'secret-manager'),
    ('secret_version_access_by_path', 'AccessSecretVersionByPath',   'secret-manager'),
    ('secret_version_enable',         'EnableSecretVersion',         'secret-manager'),
    ('secret_version_disable',        'DisableSecretVersion',        'secret-manager'),
    ('secret_version_restore',        'RestoreSecretVersion',        'secret-manager'),
    ('tag_list',                      'ListTags',                    'secret-manager'),
    ('secret_type_list',              'ListSecretTypes',             'secret-manager'),
    ('job.version_expire',            'ExpireSecretVersion',         'secret-manager'),
    ('job.version_warn',              'WarnSecretVersionExpiry',     'secret-manager'),
    ('job.version_purge',             'PurgeSecretVersion',          'secret-manager'),
    ('job.secret_purge',              'PurgeSecret',                 'secret-manager'),
    ('operator.secret_lock',          'LockSecret',                  'secret-manager'),
    ('operator.secret_unlock',        'UnlockSecret',                'secret-manager'),
    ('operator.secret_manage',        'ManageSecret',                'secret-manager'),
    ('operator.secret_unmanage',      'UnmanageSecret',              'secret-manager'),
    ('operator.project_delete',       'DeleteProject',               'secret-manager'),
    ('key_create',                    'CreateKey',                   'key-manager'),
    ('key_list',                      'ListKeys',                    'key-manager'),
    ('key_get',                       'GetKey',                      'key-manager'),
    ('key_update',                    'UpdateKey',                   'key-manager'),
    ('key_delete',                    'DeleteKey',                   'key-manager'),
    ('key_rotate',                    'RotateKey',                   'key-manager'),
    ('key_protect',                   'ProtectKey',                  'key-manager'),
    ('key_unprotect',                 'UnprotectKey',                'key-manager'),
    ('key_enable',                    'EnableKey',                   'key-manager'),
    ('key_disable',                   'DisableKey',                  'key-manager'),
    ('key_restore',                   'RestoreKey',                  'key-manager'),
    ('key_encrypt',                   'Encrypt',                     'key-manager'),
    ('key_decrypt',                   'Decrypt',                     'key-manager'),
    ('key_generate_data_key',         'GenerateDataKey',             'key-manager'),
    ('algorithm_list',                'ListAlgorithms',              'key-manager'),
    ('job.key_rotate',                'RotateKeyByPolicy',           'key-manager'),
    ('job.key_purge',                 'PurgeKey',                    'key-manager'),
    ('operator.key_purge',            'PurgeKey',                    'key-manager'),
    ('audit_event_list',              'ListEvents',                  'audit-trail'),
    ('change_list',                   'ListChanges',                 'coffer')
) AS method(method, name, product)
JOIN (VALUES
    ('secret-manager', 'scaleway.secret_manager.v1beta1.Api'),
    ('key-manager',    'scaleway.key_manager.v1alpha1.Api'),
    ('audit-trail',    'scaleway.audit_trail.v1alpha1.Api'),
    ('coffer',         'coffer.v1.Api')
) AS product(product, service) USING (product);
COMMENT ON VIEW rule.method IS
    'What the Audit Trail API calls the methods of the audit. Those of operators that are not here keep their own name, as of product coffer.';

CREATE FUNCTION rule.event_is_of_key(method text)
RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
    SELECT method ~ '^((job|operator)[.])?key_'
$$;
COMMENT ON FUNCTION rule.event_is_of_key(text) IS
    'Tells whether an event is about a managed key: then what the audit has in the place of a secret''s id is that of the key.';

CREATE FUNCTION rule.event_filter(argument rule.argument)
RETURNS rule.event_filter
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_filter rule.event_filter;
BEGIN
    IF coalesce(argument.method_name, argument.product_name, argument.service_name) IS NOT NULL THEN
        v_filter.methods := ARRAY(
            SELECT m.method FROM rule.method m
             WHERE (argument.method_name IS NULL OR m.name = argument.method_name)
               AND (argument.product_name IS NULL OR m.product = argument.product_name)
               AND (argument.service_name IS NULL OR m.service = argument.service_name));
        -- What is not in rule.method is asked for as rule.render_event shows it.
        IF coalesce(argument.product_name, 'coffer') = 'coffer'
            AND coalesce(argument.service_name, 'coffer.v1.Operator') = 'coffer.v1.Operator' THEN
            IF argument.method_name IS NULL THEN
                v_filter.other_than := ARRAY(SELECT m.method FROM rule.method m);
            ELSIF NOT EXISTS (SELECT FROM rule.method m WHERE argument.method_name IN (m.method, m.name)) THEN
                v_filter.methods := v_filter.methods || argument.method_name;
            END IF;
        END IF;
    END IF;
    v_filter.project_id := argument.project_id;
    -- Clients know many more types than there are events of, and older names of these.
    v_filter.resource_type := CASE argument.resource_type
        WHEN 'secm_secret' THEN 'secret_manager_secret'
        WHEN 'secm_secret_version' THEN 'secret_manager_version'
        WHEN 'keym_key' THEN 'key_manager_key'
        ELSE argument.resource_type
    END;
    v_filter.secret_id := CASE WHEN argument.resource_id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN argument.resource_id::uuid END;
    v_filter.nothing := v_filter.resource_type NOT IN ('secret_manager_secret', 'secret_manager_version', 'key_manager_key')
        OR argument.resource_id IS NOT NULL AND v_filter.secret_id IS NULL;
    v_filter.status := argument.status_code;
    v_filter.principal_id := argument.principal_id;
    v_filter.ip := argument.source_ip;
    RETURN v_filter;
END
$$;
COMMENT ON FUNCTION rule.event_filter(rule.argument) IS
    'Gives what a request for events asks of each of them. A type without events, and an id that is none, match nothing.';

CREATE FUNCTION rule.event_matches(event audit.event, filter rule.event_filter)
RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
    SELECT (filter.project_id IS NULL OR event.project_id = filter.project_id)
       AND (filter.principal_id IS NULL OR event.principal_id = filter.principal_id AND event.api_key_id IS NOT NULL)
       AND (filter.methods IS NULL OR event.method = ANY (filter.methods) OR (event.method <> ALL (filter.other_than)) IS TRUE)
       AND (filter.status IS NULL OR event.status = filter.status)
       AND (filter.ip IS NULL OR host(event.ip) = host(filter.ip))
       AND CASE filter.resource_type
               WHEN 'secret_manager_secret' THEN event.secret_id IS NOT NULL AND event.revision IS NULL
                                                 AND NOT rule.event_is_of_key(event.method)
               WHEN 'key_manager_key' THEN event.secret_id IS NOT NULL AND rule.event_is_of_key(event.method)
               WHEN 'secret_manager_version' THEN event.secret_id IS NOT NULL AND event.revision IS NOT NULL
               ELSE filter.resource_type IS NULL
           END
$$;
COMMENT ON FUNCTION rule.event_matches(audit.event, rule.event_filter) IS 'Tells whether an event is one that was asked for.';

CREATE FUNCTION rule.event_token(at timestamptz, id bigint)
RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
    SELECT encode(timestamptz_send(at) || int8send(id), 'hex')
$$;
COMMENT ON FUNCTION rule.event_token(timestamptz, bigint) IS
    'Writes the place of an event in a list as a page token, which means nothing to a client.';

CREATE FUNCTION rule.event_token(token text)
RETURNS rule.event_token
LANGUAGE sql IMMUTABLE
AS $$
    SELECT '2000-01-01 00:00:00+00'::timestamptz
               + ('x' || substr(token, 1, 16))::bit(64)::bigint * interval '1 microsecond',
           ('x' || substr(token, 17))::bit(64)::bigint
$$;
COMMENT ON FUNCTION rule.event_token(text) IS 'Reads a page token.';

CREATE FUNCTION rule.render_event(event audit.event)
RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_id CONSTANT text := lpad(to_hex(event.id), 16, '0');
BEGIN
    RETURN (
        SELECT row_to_json(shape)
          FROM (SELECT -- A UUID (version 8) that holds the receipt, as answers have it in X-Audit-Id.
                       format('00000000-0000-8000-8%s-%s', substr(v_id, 2, 3), substr(v_id, 5)) AS id,
                       rule.render_time(event.at) AS recorded_at,
                       coalesce(event.region, '') AS locality,
                       CASE WHEN event.api_key_id IS NOT NULL THEN (SELECT row_to_json(p) FROM (SELECT event.principal_id AS id) AS p) END AS principal,
                       event.organization_id,
                       event.project_id,
                       host(event.ip) AS source_ip,
                       event.user_agent,
                       coalesce(m.product, 'coffer') AS product_name,
                       coalesce(m.service, 'coffer.v1.Operator') AS service_name,
                       coalesce(m.name, event.method) AS method_name,
                       event.request_id,
                       rule.render_event_request(event.request) AS request_body,
                       event.status AS status_code,
                       rule.render_event_resources(event.method, event.secret_id, event.revision, event.request -> 'snapshot') AS resources
                  FROM (VALUES (true)) AS one LEFT JOIN rule.method m ON m.method = event.method) AS shape);
END
$$;
COMMENT ON FUNCTION rule.render_event(audit.event) IS 'Writes the shape Event of the Audit Trail API.';

CREATE FUNCTION rule.render_event_request(request jsonb)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    IF request -> 'path' IS NULL THEN
        RETURN coalesce(request - 'snapshot', '{}');
    END IF;
    RETURN coalesce(request -> 'body', '{}')
        || coalesce((SELECT jsonb_object_agg(key, CASE jsonb_array_length(value) WHEN 1 THEN value -> 0 ELSE value END)
                       FROM jsonb_each(request -> 'query')), '{}')
        || (request -> 'path');
END
$$;
COMMENT ON FUNCTION rule.render_event_request(jsonb) IS
    'Puts the arguments of a request, which the audit keeps by their place, into one object, as they are in the API''s messages.';

CREATE FUNCTION rule.render_event_resources(method text, secret_id uuid, revision integer, snapshot jsonb)
RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    -- Only from the row: what is stored now under this id may be of another organization, or have changed since.
    IF secret_id IS NULL THEN
        RETURN '[]';
    ELSIF rule.event_is_of_key(method) THEN
        RETURN (SELECT json_build_array(row_to_json(shape))
                  FROM (SELECT secret_id AS id, 'key_manager_key' AS type, snapshot ->> 'created_at' AS created_at,
                               snapshot ->> 'updated_at' AS updated_at, NULL AS deleted_at, snapshot ->> 'name' AS name,
                               '{}'::json AS key_manager_key_info) AS shape);
    ELSIF revision IS NULL THEN
        RETURN (SELECT json_build_array(row_to_json(shape))
                  FROM (SELECT secret_id AS id, 'secret_manager_secret' AS type, snapshot ->> 'created_at' AS created_at,
                               snapshot ->> 'updated_at' AS updated_at, NULL AS deleted_at, snapshot ->> 'name' AS name,
                               (SELECT row_to_json(info)
                                  FROM (SELECT coalesce(snapshot ->> 'path', '') AS path, snapshot ->> 'key_id' AS key_id) AS info)
                                   AS secret_manager_secret_info) AS shape);
    END IF;
    RETURN (SELECT json_build_array(row_to_json(shape))
              FROM (SELECT secret_id AS id, 'secret_manager_version' AS type, snapshot ->> 'created_at' AS created_at,
                           snapshot ->> 'updated_at' AS updated_at, NULL AS deleted_at, snapshot ->> 'name' AS name,
                           (SELECT row_to_json(info) FROM (SELECT revision) AS info) AS secret_manager_version_info) AS shape);
END
$$;
COMMENT ON FUNCTION rule.render_event_resources(text, uuid, integer, jsonb) IS
    'Writes the resources of an event: the secret, the version or the managed key that it concerned, as its snapshot says; without one, as of what is gone and in rows of before there were snapshots, id and type alone.';

CREATE FUNCTION rule.render_change(cursor text, at timestamptz, method text, project_id uuid, secret_id uuid,
                                   revision integer, request_id uuid)
RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (
        SELECT row_to_json(shape)
          FROM (SELECT cursor, rule.render_time(at) AS recorded_at,
                       coalesce((SELECT m.name FROM rule.method m WHERE m.method = render_change.method), method) AS method_name,
                       project_id,
                       CASE WHEN NOT rule.event_is_of_key(method) THEN secret_id END AS secret_id,
                       revision,
                       CASE WHEN rule.event_is_of_key(method) THEN secret_id END AS key_id,
                       request_id) AS shape);
END
$$;
COMMENT ON FUNCTION rule.render_change(text, timestamptz, text, uuid, uuid, integer, uuid) IS
    'Writes the shape Change: of a secret, of a version or of a managed key.';

CREATE FUNCTION rule.cursor_is_ahead(cursor text, changes_end text)
RETURNS boolean
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    RETURN (split_part(cursor, '.', 1)::integer, split_part(cursor, '.', 2)::bigint)
           > (split_part(changes_end, '.', 1)::integer, split_part(changes_end, '.', 2)::bigint);
END
$$;
COMMENT ON FUNCTION rule.cursor_is_ahead(text, text) IS
    'Tells whether a cursor of changes stands for more than there is, in an epoch that goes on; null without a cursor.';
