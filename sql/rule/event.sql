-- Which events a list has: the filter that a request asks for, and the place of an event in pages.

CREATE FUNCTION rule.event_is_of_key(method text)
RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
    SELECT method ~ '^((job|operator)[.])?key_'
$$;
COMMENT ON FUNCTION rule.event_is_of_key(text) IS
    'Tells whether an event is about a managed key. Its audit row has the id of the key in column '
    'secret_id.';

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
        -- A method that is not in rule.method has the name that rule.render_event shows.
        IF coalesce(argument.product_name, 'coffer') = 'coffer'
            AND coalesce(argument.service_name, 'coffer.v1.Operator') = 'coffer.v1.Operator' THEN
            IF argument.method_name IS NULL THEN
                v_filter.other_than := ARRAY(SELECT m.method FROM rule.method m);
            ELSIF NOT EXISTS (SELECT FROM rule.method m
                               WHERE argument.method_name IN (m.method, m.name)) THEN
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
    IF argument.resource_id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
        v_filter.secret_id := argument.resource_id::uuid;
    END IF;
    v_filter.nothing := v_filter.resource_type NOT IN (
            'secret_manager_secret', 'secret_manager_version', 'key_manager_key')
        OR argument.resource_id IS NOT NULL AND v_filter.secret_id IS NULL;
    v_filter.status := argument.status_code;
    v_filter.principal_id := argument.principal_id;
    v_filter.ip := argument.source_ip;
    RETURN v_filter;
END
$$;
COMMENT ON FUNCTION rule.event_filter(rule.argument) IS
    'Gives what a request for events asks of each of them. A type without events, and an id that '
    'is none, match nothing.';

CREATE FUNCTION rule.event_matches(event audit.event, filter rule.event_filter)
RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
    SELECT (filter.project_id IS NULL OR event.project_id = filter.project_id)
       AND (filter.principal_id IS NULL
            OR event.principal_id = filter.principal_id AND event.api_key_id IS NOT NULL)
       AND (filter.methods IS NULL OR event.method = ANY (filter.methods)
            OR (event.method <> ALL (filter.other_than)) IS TRUE)
       AND (filter.status IS NULL OR event.status = filter.status)
       AND (filter.ip IS NULL OR host(event.ip) = host(filter.ip))
       AND CASE filter.resource_type
               WHEN 'secret_manager_secret' THEN
                   event.secret_id IS NOT NULL AND event.revision IS NULL
                   AND NOT rule.event_is_of_key(event.method)
               WHEN 'key_manager_key' THEN
                   event.secret_id IS NOT NULL AND rule.event_is_of_key(event.method)
               WHEN 'secret_manager_version' THEN
                   event.secret_id IS NOT NULL AND event.revision IS NOT NULL
               ELSE filter.resource_type IS NULL
           END
$$;
COMMENT ON FUNCTION rule.event_matches(audit.event, rule.event_filter) IS
    'Tells whether an event passes a filter.';

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
