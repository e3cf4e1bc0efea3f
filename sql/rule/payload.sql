-- Payloads: what a type asks of them, and how their checksum travels. Plaintext is in variables
-- here, never in a row. A value is parsed only inside a block that catches every way in which
-- parsing fails: PostgreSQL quotes the text it could not parse in an error that reaches the log,
-- and logs nothing of an error that is caught. Plaintext is not cast, for a superuser can make a
-- cast from text to another type with a function of his own: the functions by which types read and
-- print are called by their names. Each call that is given plaintext matches the types of its
-- function exactly.

CREATE FUNCTION rule.payload_encode(data bytea, crc32 bigint)
RETURNS bytea
LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE WHEN crc32 IS NULL THEN E'\\x00'::bytea
           ELSE E'\\x01'::bytea || substr(int8send(crc32), 5) END || data
$$;
COMMENT ON FUNCTION rule.payload_encode(bytea, bigint) IS
    'Encodes a payload and its checksum, if the client gave one, as one value to encrypt: 00 || '
    'data, or 01 || CRC-32 (4 bytes, big-endian) || data. The checksum is encrypted too, because '
    'in clear it would confirm a guess at a short secret.';

CREATE FUNCTION rule.payload_data(encoded bytea)
RETURNS bytea
LANGUAGE sql IMMUTABLE
AS $$
    SELECT substr(encoded, CASE get_byte(encoded, 0) WHEN 0 THEN 2 ELSE 6 END)
$$;
COMMENT ON FUNCTION rule.payload_data(bytea) IS 'Gives the payload out of its encoding.';

CREATE FUNCTION rule.payload_crc32(encoded bytea)
RETURNS bigint
LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE get_byte(encoded, 0) WHEN 0 THEN NULL
        ELSE get_byte(encoded, 1)::bigint * 16777216
             + (get_byte(encoded, 2) * 65536 + get_byte(encoded, 3) * 256 + get_byte(encoded, 4))
                 END
$$;
COMMENT ON FUNCTION rule.payload_crc32(bytea) IS
    'Gives the checksum out of the encoding of a payload, null if the client gave none.';

CREATE FUNCTION rule.payload_checksum(data bytea)
RETURNS bigint
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    v_table bigint[];
    v_crc   bigint;
BEGIN
    FOR i IN 0..255 LOOP
        v_crc := i;
        FOR bit IN 1..8 LOOP
            v_crc := (v_crc >> 1) # (CASE WHEN v_crc & 1 = 1 THEN 3988292384 ELSE 0 END);
        END LOOP;
        v_table[i] := v_crc;
    END LOOP;
    v_crc := 4294967295;
    FOR i IN 0..octet_length(data) - 1 LOOP
        v_crc := v_table[(v_crc # get_byte(data, i)) & 255] # (v_crc >> 8);
    END LOOP;
    RETURN v_crc # 4294967295;
END
$$;
COMMENT ON FUNCTION rule.payload_checksum(bytea) IS
    'Computes CRC-32/ISO-HDLC (reflected polynomial EDB88320): crc32 of ''123456789'' is CBF43926.';

CREATE FUNCTION rule.payload_fault(data bytea)
RETURNS json[]
LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE
        WHEN octet_length(data) BETWEEN 1 AND 65536 THEN '{}'
        WHEN octet_length(data) > 65536 THEN
            rule.argument_fault('data', 'constraint',
                                'value must have at most 65536 bytes once decoded')
        ELSE rule.argument_fault('data', 'required', 'value is required')
    END
$$;
COMMENT ON FUNCTION rule.payload_fault(bytea) IS
    'Gives the fault of a payload that is empty or too long, an empty list if there is none.';

CREATE FUNCTION rule.payload_require_type(type text, data bytea)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_faults CONSTANT text := rule.payload_check(type, data);
BEGIN
    IF v_faults IS NOT NULL THEN
        PERFORM fail.invalid_argument('data', 'format', v_faults);
    END IF;
END
$$;
COMMENT ON FUNCTION rule.payload_require_type(text, bytea) IS
    'Refuses a payload that is not of the type of its secret.';

CREATE FUNCTION rule.payload_check(type text, data bytea)
RETURNS text
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    v_text text;
    v_json jsonb;
BEGIN
    IF type = 'opaque' THEN
        RETURN NULL;
    END IF;
    BEGIN
        v_text := convert_from(data, 'UTF8'::name);
        IF type <> 'certificate' THEN
            v_json := jsonb_in(textout(v_text));
        END IF;
    EXCEPTION
        WHEN data_exception OR statement_too_complex THEN
            RETURN CASE type WHEN 'certificate' THEN 'Invalid certificate' ELSE 'Invalid json' END;
    END;
    IF type = 'certificate' THEN
        RETURN CASE WHEN NOT rule.payload_is_pem(v_text) THEN 'Invalid certificate' END;
    ELSIF jsonb_typeof(v_json) <> 'object' THEN
        RETURN rule.payload_type_fault('(root)', 'object', v_json);
    END IF;
    RETURN CASE type
        WHEN 'key_value' THEN rule.payload_key_value_faults(v_json)
        WHEN 'basic_credentials' THEN rule.payload_object_faults(v_json, '{username,password}')
        WHEN 'database_credentials' THEN
            rule.payload_object_faults(v_json, '{engine,username,password,host,dbname,port}')
        WHEN 'ssh_key' THEN rule.payload_object_faults(v_json, '{ssh_private_key}')
    END;
END
$$;
COMMENT ON FUNCTION rule.payload_check(text, bytea) IS
    'Checks a payload against the type of its secret; gives the help message of the refusal, one '
    'line a fault, or null if all is well.';

CREATE FUNCTION rule.payload_type_fault(field text, expected text, given jsonb)
RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
    SELECT format(E'- %s: Invalid type. Expected: %s, given: %s\n', field, expected,
                  CASE WHEN jsonb_typeof(given) <> 'number' THEN jsonb_typeof(given)
                       WHEN given::numeric = trunc(given::numeric) THEN 'integer'
                       ELSE 'number' END)
$$;
COMMENT ON FUNCTION rule.payload_type_fault(text, text, jsonb) IS
    'Words the fault of a member that has the wrong JSON type.';

CREATE FUNCTION rule.payload_key_value_faults(object jsonb)
RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
    SELECT string_agg(rule.payload_type_fault(key, 'string', value), '' ORDER BY key COLLATE "C")
      FROM jsonb_each(object)
     WHERE jsonb_typeof(value) NOT IN ('string', 'number', 'boolean')
$$;
COMMENT ON FUNCTION rule.payload_key_value_faults(jsonb) IS
    'Lists the members of a key_value payload that are no string, number or boolean; null if '
    'there are none.';

CREATE FUNCTION rule.payload_object_faults(object jsonb, members text[])
RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
    SELECT string_agg(fault, '' ORDER BY rank, place, name COLLATE "C")
      FROM (SELECT 1 AS rank, place, name, format(E'- (root): %s is required\n', name) AS fault
              FROM unnest(members) WITH ORDINALITY AS wanted(name, place)
             WHERE NOT object ? name
            UNION ALL
            SELECT 2, 0, name, format(E'- (root): Additional property %s is not allowed\n', name)
              FROM jsonb_object_keys(object) AS name
             WHERE name <> ALL (members)
            UNION ALL
            SELECT 3, place, name, rule.payload_member_fault(name, object -> name)
              FROM unnest(members) WITH ORDINALITY AS wanted(name, place)
             WHERE object ? name) AS faults
$$;
COMMENT ON FUNCTION rule.payload_object_faults(jsonb, text[]) IS
    'Lists what is missing, too much or wrong in a payload that must have exactly these members; '
    'null if nothing is.';

CREATE FUNCTION rule.payload_member_fault(name text, value jsonb)
RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE
        WHEN jsonb_typeof(value) <> 'string' THEN rule.payload_type_fault(name, 'string', value)
        WHEN name = 'engine' AND value #>> '{}' NOT IN ('postgres', 'mysql', 'other')
            THEN E'- engine: engine must be one of the following: "postgres", "mysql", "other"\n'
        WHEN name = 'port' AND value #>> '{}' !~ '^[0-9]+$'
            THEN E'- port: Does not match pattern ''^[0-9]+$''\n'
        WHEN name = 'port' AND (length(ltrim(value #>> '{}', '0')) > 5
                                OR right('0000' || (value #>> '{}'), 5) > '65535')
            THEN E'- port: Must be less than or equal to 65535\n'
    END
$$;
COMMENT ON FUNCTION rule.payload_member_fault(text, jsonb) IS
    'Words the fault of one member of a typed payload; null if there is none.';

CREATE FUNCTION rule.payload_is_pem(text text)
RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
    -- Every BEGIN line opens a whole block: a label, optional headers, base64 in full groups, the
    -- same label at the end.
    SELECT count(*) > 0 AND bool_and(
               block ~ (E'^-----BEGIN ([A-Z0-9 ]{1,64})-----\\s*\\n'
                        || E'(?:[A-Za-z0-9-]+:[^\\n]*\\n)*\\s*'
                        || E'(?:(?:[A-Za-z0-9+/]\\s*){4})*(?:(?:[A-Za-z0-9+/]\\s*){2}(?:=\\s*){2}'
                        || E'|(?:[A-Za-z0-9+/]\\s*){3}=\\s*'
                        || E'|(?:[A-Za-z0-9+/]\\s*){4})-----END \\1-----'))
      FROM regexp_split_to_table(text, '(?=-----BEGIN )') AS block
     WHERE starts_with(block, '-----BEGIN ')
$$;
COMMENT ON FUNCTION rule.payload_is_pem(text) IS
    'Tells whether a text holds one or more PEM blocks (RFC 7468) and all of them parse.';
