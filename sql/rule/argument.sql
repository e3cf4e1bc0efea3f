-- Reading the arguments of a request by the forms of argument.sql.
-- An endpoint names the arguments that it takes. All faults are reported together.

CREATE FUNCTION rule.argument_fault(argument_name text, reason text, help_message text)
RETURNS json[]
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    RETURN ARRAY(SELECT row_to_json(fault)
                   FROM (SELECT argument_name, help_message, reason) AS fault);
END
$$;
COMMENT ON FUNCTION rule.argument_fault(text, text, text) IS
    'Makes one entry of the details of an invalid_arguments error; a list, for others to be joined '
    'to it.';

CREATE FUNCTION rule.argument_from_query(value jsonb, json_type text)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    v_text CONSTANT text := value ->> 0;
BEGIN
    IF json_type = 'array' THEN
        RETURN nullif(value, '[""]');
    END IF;
    RETURN CASE
        WHEN v_text = '' THEN NULL
        WHEN json_type = 'boolean' AND lower(v_text) IN ('true', '1') THEN 'true'
        WHEN json_type = 'boolean' AND lower(v_text) IN ('false', '0') THEN 'false'
        -- A number beyond these is as good as the last of them: no list has so many pages.
        WHEN json_type = 'number' AND v_text ~ '^-?[0-9]+$' THEN
            to_jsonb(least(greatest(v_text::numeric, -999999999), 999999999))
        ELSE to_jsonb(v_text)
    END;
END
$$;
COMMENT ON FUNCTION rule.argument_from_query(jsonb, text) IS
    'Turns a query argument, a list of texts, into the JSON type that the same argument has in a '
    'body; null if it is empty. A text that does not fit stays one.';

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
COMMENT ON FUNCTION rule.argument_is_address(text) IS
    'Tells whether a text is an IPv4 or IPv6 address.';

CREATE FUNCTION rule.argument_path(path text)
RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
    SELECT '/' || trim(BOTH '/' FROM regexp_replace(path, '/+', '/', 'g'))
$$;
COMMENT ON FUNCTION rule.argument_path(text) IS
    'Normalises a path: one slash at the beginning and between components, none at the end; the '
    'root is /.';

CREATE FUNCTION rule.argument_texts(list jsonb)
RETURNS text[]
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    RETURN (SELECT ARRAY(SELECT element
                           FROM jsonb_array_elements_text(list) WITH ORDINALITY AS t(element, place)
                          ORDER BY place));
END
$$;
COMMENT ON FUNCTION rule.argument_texts(jsonb) IS
    'Turns a JSON list of strings into an array, in its order.';

DO $do$
DECLARE
    v_template CONSTANT text := $template$
CREATE FUNCTION rule.arguments(request jsonb, wanted text[], data bytea DEFAULT NULL)
RETURNS rule.argument
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_argument rule.argument;
    v_faults   json[] := '{}';
    v_found    json[];
    v_wanted   text;
    v_place    text;
    v_name     text;
    v_member   text;
    v_value    jsonb;
    v_text     text;
BEGIN
    FOREACH v_wanted IN ARRAY wanted LOOP
        v_place := split_part(v_wanted, '.', 1);
        v_name := rtrim(split_part(v_wanted, '.', 2), '!');
        v_member := v_name;
        IF strpos(v_name, ':') > 0 THEN     -- the name has another meaning here than elsewhere
            v_member := split_part(v_name, ':', 2);
            v_name := split_part(v_name, ':', 1);
        END IF;
        v_value := CASE v_place
            WHEN 'data' THEN nullif(request -> 'data', '"absent"')
            WHEN 'cut' THEN     -- the daemon keeps the value, and says what became of it
                CASE WHEN request -> v_name ->> 'state' <> 'absent' THEN request -> v_name END
            WHEN 'query' THEN request -> 'query' -> v_name
            ELSE nullif(request -> v_place -> v_name, 'null')
        END;
        IF v_value IS NOT NULL THEN
            CASE v_member
%s
            END CASE;
        END IF;
        IF v_value IS NULL AND right(v_wanted, 1) = '!' THEN
            v_faults := v_faults || rule.argument_fault(v_name, 'required', 'value is required');
        END IF;
    END LOOP;
    IF v_argument.data_crc32 IS NOT NULL AND octet_length(data) BETWEEN 1 AND 65536 THEN
        IF rule.payload_checksum(data) <> v_argument.data_crc32 THEN
            v_faults := v_faults || rule.argument_fault(
                'data_crc32', 'constraint', 'value is not the CRC-32 of the data');
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
$$
$template$;
    -- The steps of one argument: its value in a query, its checks in their order, its member.
    v_branch   CONSTANT text := $branch$        WHEN %1$L THEN%2$s
            v_text := %3$s;
            IF v_value IS NULL THEN
                NULL;%4$s
            ELSE%5$s
            END IF;$branch$;
    v_query    CONSTANT text := $branch$
            IF v_place = 'query' THEN
                v_value := rule.argument_from_query(v_value, %L);
            END IF;$branch$;
    v_check    CONSTANT text := $branch$
            ELSIF NOT (%s) THEN
                v_faults := v_faults || rule.argument_fault(v_name, %L, %L);$branch$;
    v_member   CONSTANT text := $branch$
                v_argument.%I := %s;$branch$;
    v_own      CONSTANT text := $branch$
                v_found := %s;
                v_faults := v_faults || v_found;$branch$;
    v_both     CONSTANT text := $branch$
                v_found := %s;
                IF v_found IS NULL THEN
                    v_argument.%I := %s;
                END IF;
                v_faults := v_faults || v_found;$branch$;
    v_branches text;
BEGIN
    SELECT string_agg(format(
               v_branch, f.argument,
               CASE WHEN 'query' = ANY (f.places) THEN format(v_query, k.json) END,
               CASE f.kind WHEN 'path' THEN $$rule.argument_path(v_value #>> '{}')$$
                           ELSE $$v_value #>> '{}'$$ END,
               concat((SELECT string_agg(format(v_check, format(c.holds, f.choices), c.reason,
                                                format(c.message,
                                                       array_to_string(f.choices, ', '))),
                                         '' ORDER BY c.place)
                         FROM rule.argument_check c WHERE c.kind IN (k.json, f.kind)),
                      CASE WHEN f.limits IS NOT NULL THEN
                          format(v_check, f.limits, 'constraint', f.message) END),
               CASE WHEN k.own_check IS NULL AND k.type IS NULL THEN E'\n                NULL;'
                    WHEN k.own_check IS NULL THEN format(v_member, f.argument, k.value)
                    WHEN k.type IS NULL THEN format(v_own, k.own_check)
                    ELSE format(v_both, k.own_check, f.argument, k.value) END
               ), E'\n' ORDER BY f.no)
      INTO v_branches
      FROM rule.argument_form f JOIN rule.argument_kind k USING (kind);
    EXECUTE format(v_template, v_branches);     -- dynamic: the checks come from the views
END
$do$;
COMMENT ON FUNCTION rule.arguments(jsonb, text[], bytea) IS
    'Reads the wanted arguments, each written place.name with a ! when it is required (body.name!) '
    'and :member when that is not the name (query.status:status_code), from a request whose '
    'payload is data; absent ones are null, but page, page_size and order_by have their defaults. '
    'Refuses with all faults at once.';
