-- The vocabulary of requests: every argument of the API, its form and its limits, in one place.
-- An endpoint names the arguments it takes and gets them checked, normalised and typed; all faults are reported together.

CREATE FUNCTION rule.argument_fault(argument_name text, reason text, help_message text)
RETURNS json
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    RETURN (SELECT row_to_json(fault) FROM (SELECT argument_name, help_message, reason) AS fault);
END
$$;
COMMENT ON FUNCTION rule.argument_fault(text, text, text) IS
    'Makes one entry of the details of an invalid_arguments error.';

-- An argument as JSON, from the place the endpoint takes it from. A query argument is text, repeated or not;
-- it is turned into the JSON type that the same argument has in a body, so that one check serves both.
CREATE FUNCTION rule.argument_value(request jsonb, place text, name text, kind text)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    v_value jsonb := request -> place -> name;
    v_text  text;
BEGIN
    IF place = 'data' THEN
        RETURN nullif(request -> 'data', '"absent"');
    ELSIF place <> 'query' OR kind IN ('tags', 'statuses') THEN
        RETURN nullif(v_value, 'null');
    END IF;
    v_text := v_value ->> 0;
    RETURN CASE
        WHEN v_text = '' THEN NULL
        WHEN kind = 'boolean' AND lower(v_text) IN ('true', '1') THEN 'true'
        WHEN kind = 'boolean' AND lower(v_text) IN ('false', '0') THEN 'false'
        WHEN kind = 'integer' AND v_text ~ '^-?[0-9]{1,9}$' THEN to_jsonb(v_text::integer)
        ELSE to_jsonb(v_text)
    END;
END
$$;
COMMENT ON FUNCTION rule.argument_value(jsonb, text, text, text) IS
    'Gives the value of an argument from place path, query or body; null when it is absent, JSON null or, in a query, empty.';

CREATE FUNCTION rule.argument_kind(name text)
RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE
        WHEN name IN ('secret_id', 'organization_id', 'project_id', 'key_id') THEN 'uuid'
        WHEN name IN ('name', 'secret_name') THEN 'name'
        WHEN name IN ('path', 'prefix', 'secret_path') THEN 'path'
        WHEN name IN ('protected', 'disable_previous', 'ephemeral', 'scheduled_for_deletion') THEN 'boolean'
        WHEN name IN ('page', 'page_size') THEN 'integer'
        WHEN name = 'tags' THEN 'tags'
        WHEN name = 'status' THEN 'statuses'
        ELSE name
    END
$$;
COMMENT ON FUNCTION rule.argument_kind(text) IS 'Gives the form in which an argument is written; those with a form of their own bear its name.';

CREATE FUNCTION rule.argument_choices(kind text)
RETURNS text[]
LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE kind
        WHEN 'type' THEN ARRAY['unknown_type', 'opaque', 'certificate', 'key_value', 'basic_credentials',
                               'database_credentials', 'ssh_key']
        WHEN 'product' THEN ARRAY['edge_services', 's2s_vpn']
        WHEN 'order_by' THEN ARRAY['name_asc', 'name_desc', 'created_at_asc', 'created_at_desc',
                                   'updated_at_asc', 'updated_at_desc']
        WHEN 'statuses' THEN ARRAY['unknown_status', 'enabled', 'disabled', 'deleted', 'scheduled_for_deletion']
    END
$$;
COMMENT ON FUNCTION rule.argument_choices(text) IS
    'Gives the values an argument can have, where they are a list; unknown_* and deleted are what clients know and send.';

CREATE FUNCTION rule.argument_check(name text, kind text, value jsonb)
RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_type CONSTANT text := jsonb_typeof(value);
    v_text CONSTANT text := value #>> '{}';
    v_path text;
BEGIN
    IF kind IN ('tags', 'statuses') THEN
        IF v_type <> 'array' OR jsonb_path_exists(value, 'strict $[*] ? (@.type() != "string")') THEN
            RETURN rule.argument_fault(name, 'format', 'value must be a list of strings');
        END IF;
    ELSIF kind IN ('boolean', 'integer', 'data_crc32', 'ephemeral_policy', 'ephemeral_properties') THEN
        NULL;
    ELSIF v_type <> 'string' THEN
        RETURN rule.argument_fault(name, 'format', 'value must be a string');
    END IF;

    CASE kind
    WHEN 'uuid' THEN
        IF v_text !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
            RETURN rule.argument_fault(name, 'format', 'value must be a valid UUID');
        ELSIF name = 'key_id' THEN
            RETURN rule.argument_fault(name, 'constraint', 'keys of the caller''s own are not available');
        END IF;
    WHEN 'revision' THEN
        IF v_text NOT IN ('latest', 'latest_enabled') AND v_text !~ '^[1-9][0-9]*$' THEN
            RETURN rule.argument_fault(name, 'format', 'value must be a number from 1, latest or latest_enabled');
        END IF;
    WHEN 'name' THEN
        IF length(v_text) NOT BETWEEN 1 AND 255 THEN
            RETURN rule.argument_fault(name, 'constraint', 'value must have 1 to 255 characters');
        ELSIF v_text !~ '^[A-Za-z0-9._-]+$' THEN
            RETURN rule.argument_fault(name, 'format', 'value may hold letters, digits and . _ - only');
        END IF;
    WHEN 'path' THEN
        v_path := rule.argument_path(v_text);
        IF v_path !~ '^[A-Za-z0-9._/-]+$' THEN
            RETURN rule.argument_fault(name, 'format', 'value may hold letters, digits and . _ - between slashes only');
        ELSIF octet_length(v_path) > 1024 OR length(v_path) - length(replace(v_path, '/', '')) > 32 THEN
            RETURN rule.argument_fault(name, 'constraint', 'value must have at most 32 components and 1024 bytes');
        ELSIF v_path ~ '[^/]{255}[^/]' THEN
            RETURN rule.argument_fault(name, 'constraint', 'each component must have at most 255 characters');
        END IF;
    WHEN 'description' THEN
        IF octet_length(v_text) > 65535 THEN
            RETURN rule.argument_fault(name, 'constraint', 'value must have at most 65535 bytes');
        END IF;
    WHEN 'tags' THEN
        IF jsonb_array_length(value) > 100 THEN
            RETURN rule.argument_fault(name, 'constraint', 'value must have at most 100 elements');
        ELSIF EXISTS (SELECT FROM jsonb_array_elements_text(value) AS tag WHERE length(tag) NOT BETWEEN 1 AND 255) THEN
            RETURN rule.argument_fault(name, 'constraint', 'each element must have 1 to 255 characters');
        END IF;
    WHEN 'statuses' THEN
        IF EXISTS (SELECT FROM jsonb_array_elements_text(value) AS status
                    WHERE status <> ALL (rule.argument_choices(kind))) THEN
            RETURN rule.argument_fault(name, 'format',
                                       'value must be one of ' || array_to_string(rule.argument_choices(kind), ', '));
        END IF;
    WHEN 'type', 'product', 'order_by' THEN
        IF v_text <> ALL (rule.argument_choices(kind)) THEN
            RETURN rule.argument_fault(name, 'format',
                                       'value must be one of ' || array_to_string(rule.argument_choices(kind), ', '));
        END IF;
    WHEN 'boolean' THEN
        IF v_type <> 'boolean' THEN
            RETURN rule.argument_fault(name, 'format', 'value must be a boolean');
        END IF;
    WHEN 'integer' THEN
        IF v_type <> 'number' OR v_text !~ '^-?[0-9]{1,9}$' THEN
            RETURN rule.argument_fault(name, 'format', 'value must be an integer');
        ELSIF name = 'page' AND v_text::integer < 1 THEN
            RETURN rule.argument_fault(name, 'constraint', 'value must be at least 1');
        ELSIF name = 'page_size' AND v_text::integer NOT BETWEEN 0 AND 100 THEN
            RETURN rule.argument_fault(name, 'constraint', 'value must be from 1 to 100');
        END IF;
    WHEN 'data_crc32' THEN
        IF v_type <> 'number' OR v_text !~ '^[0-9]{1,10}$' OR v_text::bigint > 4294967295 THEN
            RETURN rule.argument_fault(name, 'format', 'value must be an unsigned 32-bit integer');
        END IF;
    WHEN 'data' THEN
        IF v_text <> 'given' THEN
            RETURN rule.argument_fault(name, 'format', 'value must be base64');
        END IF;
    WHEN 'ephemeral_policy' THEN
        RETURN rule.ephemeral_policy_check(name, value);
    WHEN 'ephemeral_properties' THEN
        RETURN rule.ephemeral_properties_check(name, value);
    END CASE;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rule.argument_check(text, text, jsonb) IS
    'Checks one value against the form and the limits of its argument; gives the fault, null if there is none.';

CREATE FUNCTION rule.argument_path(path text)
RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
    SELECT '/' || trim(BOTH '/' FROM regexp_replace(path, '/+', '/', 'g'))
$$;
COMMENT ON FUNCTION rule.argument_path(text) IS
    'Normalises a path: one slash at the beginning and between components, none at the end; the root is /.';

CREATE FUNCTION rule.argument_texts(list jsonb)
RETURNS text[]
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    RETURN (SELECT ARRAY(SELECT element FROM jsonb_array_elements_text(list) WITH ORDINALITY AS t(element, place) ORDER BY place));
END
$$;
COMMENT ON FUNCTION rule.argument_texts(jsonb) IS 'Turns a JSON list of strings into an array, in its order.';

CREATE FUNCTION rule.arguments(request jsonb, wanted text[], data bytea DEFAULT NULL)
RETURNS rule.argument
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_argument rule.argument;
    v_faults   json[] := '{}';
    v_fault    json;
    v_wanted   text;
    v_name     text;
    v_kind     text;
    v_value    jsonb;
    v_text     text;
BEGIN
    FOREACH v_wanted IN ARRAY wanted LOOP
        v_name := rtrim(split_part(v_wanted, '.', 2), '!');
        v_kind := rule.argument_kind(v_name);
        v_value := rule.argument_value(request, split_part(v_wanted, '.', 1), v_name, v_kind);
        IF v_value IS NULL THEN
            IF right(v_wanted, 1) = '!' THEN
                v_faults := v_faults || rule.argument_fault(v_name, 'required', 'value is required');
            END IF;
            CONTINUE;
        END IF;
        v_fault := rule.argument_check(v_name, v_kind, v_value);
        IF v_fault IS NOT NULL THEN
            v_faults := v_faults || v_fault;
            CONTINUE;
        END IF;
        v_text := v_value #>> '{}';
        CASE v_name
            WHEN 'secret_id' THEN v_argument.secret_id := v_text;
            WHEN 'revision' THEN v_argument.revision := v_text;
            WHEN 'organization_id' THEN v_argument.organization_id := v_text;
            WHEN 'project_id' THEN v_argument.project_id := v_text;
            WHEN 'name' THEN v_argument.name := v_text;
            WHEN 'secret_name' THEN v_argument.secret_name := v_text;
            WHEN 'path' THEN v_argument.path := rule.argument_path(v_text);
            WHEN 'prefix' THEN v_argument.prefix := rule.argument_path(v_text);
            WHEN 'secret_path' THEN v_argument.secret_path := rule.argument_path(v_text);
            WHEN 'description' THEN v_argument.description := v_text;
            WHEN 'tags' THEN v_argument.tags := rule.argument_texts(v_value);
            WHEN 'type' THEN v_argument.type := v_text;
            WHEN 'product' THEN v_argument.product := v_text;
            WHEN 'protected' THEN v_argument.protected := v_text;
            WHEN 'disable_previous' THEN v_argument.disable_previous := v_text;
            WHEN 'data_crc32' THEN v_argument.data_crc32 := v_text;
            WHEN 'ephemeral_policy' THEN v_argument.ephemeral_policy := rule.ephemeral_policy(v_value);
            WHEN 'ephemeral_properties' THEN v_argument.ephemeral_properties := rule.ephemeral_properties(v_value);
            WHEN 'ephemeral' THEN v_argument.ephemeral := v_text;
            WHEN 'scheduled_for_deletion' THEN v_argument.scheduled_for_deletion := v_text;
            WHEN 'status' THEN v_argument.status := rule.argument_texts(v_value);
            WHEN 'order_by' THEN v_argument.order_by := v_text;
            WHEN 'page' THEN v_argument.page := v_text;
            WHEN 'page_size' THEN v_argument.page_size := v_text;
            WHEN 'data' THEN v_faults := v_faults || rule.payload_fault(data);
        END CASE;
    END LOOP;
    IF v_argument.data_crc32 IS NOT NULL AND octet_length(data) BETWEEN 1 AND 65536 THEN
        IF rule.crc32(data) <> v_argument.data_crc32 THEN
            v_faults := v_faults || rule.argument_fault('data_crc32', 'constraint', 'value is not the CRC-32 of the data');
        END IF;
    END IF;
    IF cardinality(v_faults) > 0 THEN
        PERFORM fail.invalid_arguments(v_faults);
    END IF;
    -- What clients send to say "nothing in particular".
    v_argument.type := nullif(v_argument.type, 'unknown_type');
    v_argument.page := coalesce(v_argument.page, 1);
    v_argument.page_size := coalesce(nullif(v_argument.page_size, 0), 50);
    v_argument.order_by := coalesce(v_argument.order_by, 'name_asc');
    RETURN v_argument;
END
$$;
COMMENT ON FUNCTION rule.arguments(jsonb, text[], bytea) IS
    'Reads the wanted arguments, each written place.name with a ! when it is required (body.name!), from a request whose payload is data; absent ones are null, but page, page_size and order_by have their defaults. Refuses with all faults at once.';
