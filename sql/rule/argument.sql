-- The vocabulary of requests: every argument of the API, its form and its limits, in one place.
-- An endpoint names the arguments it takes and gets them checked, normalised and typed; all faults are reported together.

CREATE FUNCTION rule.argument_fault(argument_name text, reason text, help_message text)
RETURNS json[]
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    RETURN ARRAY(SELECT row_to_json(fault) FROM (SELECT argument_name, help_message, reason) AS fault);
END
$$;
COMMENT ON FUNCTION rule.argument_fault(text, text, text) IS
    'Makes one entry of the details of an invalid_arguments error; a list, for others to be joined to it.';

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
    ELSIF place = 'cut' THEN        -- the daemon keeps the value, and says what became of it
        RETURN CASE WHEN request -> name ->> 'state' <> 'absent' THEN request -> name END;
    ELSIF place <> 'query' THEN
        RETURN nullif(v_value, 'null');
    ELSIF kind IN ('tags', 'statuses', 'usages') THEN
        RETURN nullif(v_value, '[""]');
    END IF;
    v_text := v_value ->> 0;
    RETURN CASE
        WHEN v_text = '' THEN NULL
        WHEN kind = 'boolean' AND lower(v_text) IN ('true', '1') THEN 'true'
        WHEN kind = 'boolean' AND lower(v_text) IN ('false', '0') THEN 'false'
        -- A number beyond these is as good as the last of them: no list has so many pages.
        WHEN kind = 'integer' AND v_text ~ '^-?[0-9]+$' THEN
            to_jsonb(least(greatest(v_text::numeric, -999999999), 999999999))
        ELSE to_jsonb(v_text)
    END;
END
$$;
COMMENT ON FUNCTION rule.argument_value(jsonb, text, text, text) IS
    'Gives the value of an argument from place path, query or body, or what is said of it (data, cut); null when it is absent, JSON null or, in a query, empty.';

CREATE FUNCTION rule.argument_kind(name text)
RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE
        WHEN name IN ('secret_id', 'organization_id', 'project_id', 'key_id', 'principal_id') THEN 'uuid'
        WHEN name IN ('name', 'secret_name') THEN 'name'
        WHEN name IN ('path', 'prefix', 'secret_path') THEN 'path'
        WHEN name IN ('protected', 'disable_previous', 'ephemeral', 'scheduled_for_deletion', 'unprotected',
                      'without_plaintext') THEN 'boolean'
        WHEN name IN ('page', 'page_size', 'status_code', 'wait') THEN 'integer'
        WHEN name IN ('method_name', 'product_name', 'service_name', 'resource_type', 'resource_id') THEN 'text'
        WHEN name IN ('recorded_after', 'recorded_before') THEN 'time'
        WHEN name IN ('plaintext', 'ciphertext', 'associated_data') THEN 'cut'
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
        WHEN 'event_order' THEN ARRAY['recorded_at_desc', 'recorded_at_asc']
        WHEN 'statuses' THEN ARRAY['unknown_status', 'enabled', 'disabled', 'deleted', 'scheduled_for_deletion']
        WHEN 'protection_level' THEN ARRAY['unknown_protection_level', 'software', 'hsm']
        WHEN 'origin' THEN ARRAY['unknown_origin', 'scaleway_kms', 'external']
        WHEN 'algorithm' THEN ARRAY['unknown_symmetric_encryption', 'aes_256_gcm']
    END
$$;
COMMENT ON FUNCTION rule.argument_choices(text) IS
    'Gives the values an argument can have, where they are a list; unknown_* and deleted are what clients know and send.';

CREATE FUNCTION rule.argument_check(name text, kind text, value jsonb)
RETURNS json[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_type CONSTANT text := jsonb_typeof(value);
    v_text CONSTANT text := value #>> '{}';
    v_path text;
BEGIN
    IF kind IN ('tags', 'statuses', 'usages') THEN
        IF v_type <> 'array' OR jsonb_path_exists(value, 'strict $[*] ? (@.type() != "string")') THEN
            RETURN rule.argument_fault(name, 'format', 'value must be a list of strings');
        END IF;
    ELSIF kind IN ('boolean', 'integer', 'data_crc32', 'ephemeral_policy', 'ephemeral_properties', 'usage',
                   'rotation_policy', 'cut') THEN
        NULL;
    ELSIF v_type <> 'string' THEN
        RETURN rule.argument_fault(name, 'format', 'value must be a string');
    END IF;

    CASE kind
    WHEN 'uuid' THEN
        IF v_text !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
            RETURN rule.argument_fault(name, 'format', 'value must be a valid UUID');
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
        ELSIF octet_length(to_json(v_text)::text) > 65535 + 2 THEN      -- with its quotes
            RETURN rule.argument_fault(name, 'constraint', 'value must have at most 65535 bytes when JSON writes it');
        END IF;
    WHEN 'tags' THEN
        IF jsonb_array_length(value) > 100 THEN
            RETURN rule.argument_fault(name, 'constraint', 'value must have at most 100 elements');
        ELSIF EXISTS (SELECT FROM jsonb_array_elements_text(value) AS tag WHERE length(tag) NOT BETWEEN 1 AND 255) THEN
            RETURN rule.argument_fault(name, 'constraint', 'each element must have 1 to 255 characters');
        ELSIF EXISTS (SELECT FROM jsonb_array_elements(value) AS tag WHERE octet_length(tag::text) > 4 * 255 + 2) THEN
            RETURN rule.argument_fault(name, 'constraint', 'each element must have at most 1020 bytes when JSON writes it');
        END IF;
    WHEN 'usages' THEN
        NULL;       -- a word that is no usage matches nothing
    WHEN 'statuses' THEN
        IF EXISTS (SELECT FROM jsonb_array_elements_text(value) AS choice
                    WHERE choice <> ALL (rule.argument_choices(kind))) THEN
            RETURN rule.argument_fault(name, 'format',
                                       'value must be one of ' || array_to_string(rule.argument_choices(kind), ', '));
        END IF;
    WHEN 'type', 'product', 'order_by', 'event_order', 'origin', 'algorithm', 'protection_level' THEN
        IF v_text <> ALL (rule.argument_choices(kind)) THEN
            RETURN rule.argument_fault(name, 'format',
                                       'value must be one of ' || array_to_string(rule.argument_choices(kind), ', '));
        ELSIF kind = 'origin' AND v_text = 'external' THEN
            RETURN rule.argument_fault(name, 'constraint', 'material from elsewhere is not taken');
        END IF;
    WHEN 'new_protection_level' THEN
        IF v_text = 'hsm' THEN
            RETURN rule.argument_fault(name, 'constraint', 'hardware protection is not available');
        END IF;
        RETURN rule.argument_check(name, 'protection_level', value);
    WHEN 'boolean' THEN
        IF v_type <> 'boolean' THEN
            RETURN rule.argument_fault(name, 'format', 'value must be a boolean');
        END IF;
    WHEN 'integer' THEN
        IF v_type <> 'number' THEN
            RETURN rule.argument_fault(name, 'format', 'value must be an integer');
        ELSIF name = 'page' AND v_text::integer < 1 THEN
            RETURN rule.argument_fault(name, 'constraint', 'value must be at least 1');
        ELSIF name = 'page_size' AND v_text::integer NOT BETWEEN 0 AND 100 THEN
            RETURN rule.argument_fault(name, 'constraint', 'value must be from 1 to 100');
        ELSIF name = 'wait' AND v_text::integer NOT BETWEEN 0 AND 60 THEN
            RETURN rule.argument_fault(name, 'constraint', 'value must be from 0 to 60');
        END IF;
    WHEN 'text' THEN
        NULL;
    WHEN 'time' THEN
        IF rule.ephemeral_time(v_text) IS NULL THEN
            RETURN rule.argument_fault(name, 'format', 'value must be a time in RFC 3339 form');
        END IF;
    WHEN 'source_ip' THEN
        IF NOT rule.argument_is_address(v_text) THEN
            RETURN rule.argument_fault(name, 'format', 'value must be an IP address');
        END IF;
    WHEN 'page_token' THEN
        -- A time since 2000 in microseconds, of the next nine thousand years, and an id.
        IF v_text !~ '^0[0-3][0-9a-f]{14}[0-7][0-9a-f]{15}$' THEN
            RETURN rule.argument_fault(name, 'format', 'value must be the next_page_token of another answer');
        END IF;
    WHEN 'after' THEN
        IF v_text !~ '^([1-9][0-9]{0,8}[.][0-9]{1,18}|latest)$' THEN
            RETURN rule.argument_fault(name, 'format', 'value must be the cursor of another answer, or latest');
        END IF;
    WHEN 'data_crc32' THEN
        IF v_type <> 'number' OR v_text !~ '^[0-9]{1,10}$' OR v_text::bigint > 4294967295 THEN
            RETURN rule.argument_fault(name, 'format', 'value must be an unsigned 32-bit integer');
        END IF;
    WHEN 'data' THEN
        IF v_text <> 'given' THEN
            RETURN rule.argument_fault(name, 'format', 'value must be base64');
        END IF;
    WHEN 'usage' THEN
        IF v_type <> 'object' THEN
            RETURN rule.argument_fault(name, 'format', 'value must be an object');
        ELSIF jsonb_strip_nulls(value) <> '{"symmetric_encryption": "aes_256_gcm"}' THEN
            RETURN rule.argument_fault(name, 'constraint', 'value must be {"symmetric_encryption":"aes_256_gcm"}');
        END IF;
    WHEN 'rotation_policy' THEN
        RETURN rule.rotation_policy_check(name, value);
    WHEN 'cut' THEN
        RETURN rule.argument_check_cut(name, value ->> 'state', (value ->> 'size')::bigint);
    WHEN 'ephemeral_policy' THEN
        RETURN rule.ephemeral_policy_check(name, value);
    WHEN 'ephemeral_properties' THEN
        RETURN rule.ephemeral_properties_check(name, value);
    END CASE;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rule.argument_check(text, text, jsonb) IS
    'Checks one value against the form and the limits of its argument; gives the faults, null if there is none.';

CREATE FUNCTION rule.argument_check_cut(name text, state text, size bigint)
RETURNS json[]
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    v_max CONSTANT bigint := CASE name WHEN 'plaintext' THEN 65535 WHEN 'ciphertext' THEN 131071 END;
BEGIN
    IF state <> 'given' THEN
        RETURN rule.argument_fault(name, 'format', 'value must be base64');
    ELSIF size = 0 AND v_max IS NOT NULL THEN
        RETURN rule.argument_fault(name, 'required', 'value is required');
    ELSIF size > v_max THEN
        RETURN rule.argument_fault(name, 'constraint', format('value must have at most %s bytes once decoded', v_max));
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rule.argument_check_cut(text, text, bigint) IS
    'Checks what the daemon says of a value that it keeps to itself: whether it is base64, and how long it is once decoded; associated data may be empty, and as long as a request.';

CREATE FUNCTION rule.argument_is_address(value text)
RETURNS boolean
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    RETURN value !~ '/' AND value::inet IS NOT NULL;
EXCEPTION
    WHEN invalid_text_representation THEN
        RETURN false;
END
$$;
COMMENT ON FUNCTION rule.argument_is_address(text) IS 'Tells whether a text is an IPv4 or IPv6 address.';

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
    v_found    json[];
    v_wanted   text;
    v_name     text;
    v_member   text;
    v_kind     text;
    v_value    jsonb;
    v_text     text;
BEGIN
    FOREACH v_wanted IN ARRAY wanted LOOP
        v_name := rtrim(split_part(v_wanted, '.', 2), '!');
        v_member := v_name;
        IF strpos(v_name, ':') > 0 THEN     -- the name has another meaning here than elsewhere
            v_member := split_part(v_name, ':', 2);
            v_name := split_part(v_name, ':', 1);
        END IF;
        v_kind := rule.argument_kind(v_member);
        v_value := rule.argument_value(request, split_part(v_wanted, '.', 1), v_name, v_kind);
        IF v_value IS NULL THEN
            IF right(v_wanted, 1) = '!' THEN
                v_faults := v_faults || rule.argument_fault(v_name, 'required', 'value is required');
            END IF;
            CONTINUE;
        END IF;
        v_found := rule.argument_check(v_name, v_kind, v_value);
        IF v_found IS NOT NULL THEN
            v_faults := v_faults || v_found;
            CONTINUE;
        END IF;
        v_text := v_value #>> '{}';
        CASE v_member
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
            WHEN 'resource_type' THEN v_argument.resource_type := v_text;
            WHEN 'resource_id' THEN v_argument.resource_id := v_text;
            WHEN 'principal_id' THEN v_argument.principal_id := v_text;
            WHEN 'method_name' THEN v_argument.method_name := v_text;
            WHEN 'product_name' THEN v_argument.product_name := v_text;
            WHEN 'service_name' THEN v_argument.service_name := v_text;
            WHEN 'source_ip' THEN v_argument.source_ip := v_text;
            WHEN 'status_code' THEN v_argument.status_code := v_text;
            WHEN 'recorded_after' THEN v_argument.recorded_after := rule.ephemeral_time(v_text);
            WHEN 'recorded_before' THEN v_argument.recorded_before := rule.ephemeral_time(v_text);
            WHEN 'event_order' THEN v_argument.event_order := v_text;
            WHEN 'page_token' THEN v_argument.page_token := rule.event_token(v_text);
            WHEN 'after' THEN v_argument.after := v_text;
            WHEN 'wait' THEN v_argument.wait := v_text;
            WHEN 'key_id' THEN v_argument.key_id := v_text;
            WHEN 'usages' THEN v_argument.usages := rule.argument_texts(v_value);
            WHEN 'unprotected' THEN v_argument.unprotected := v_text;
            WHEN 'rotation_policy' THEN v_argument.rotation_policy := rule.rotation_policy(v_value);
            WHEN 'without_plaintext' THEN v_argument.without_plaintext := v_text;
            WHEN 'protection_level' THEN v_argument.protection_level := v_text;
            WHEN 'usage', 'origin', 'new_protection_level', 'algorithm', 'plaintext', 'ciphertext', 'associated_data' THEN
                NULL;       -- nothing but to be right: there is one choice, or the value is not here
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
    v_argument.resource_type := nullif(v_argument.resource_type, 'unknown_type');
    v_argument.usages := nullif(array_remove(v_argument.usages, 'unknown_usage'), '{}');
    v_argument.page := coalesce(v_argument.page, 1);
    v_argument.page_size := coalesce(nullif(v_argument.page_size, 0), 50);
    v_argument.order_by := coalesce(v_argument.order_by, 'name_asc');
    RETURN v_argument;
END
$$;
COMMENT ON FUNCTION rule.arguments(jsonb, text[], bytea) IS
    'Reads the wanted arguments, each written place.name with a ! when it is required (body.name!) and :member when that is not the name (query.status:status_code), from a request whose payload is data; absent ones are null, but page, page_size and order_by have their defaults. Refuses with all faults at once.';
