-- The arguments of the API, as data. A new argument is one row of rule.argument_form.
-- A deploy makes the type rule.argument (below) and the function rule.arguments
-- (rule/argument.sql) from these views, so that a call reads none of them.

CREATE VIEW rule.argument_form AS
SELECT row_number() OVER () AS no, argument, places::text[] AS places, kind,
       choices::text[] AS choices, limits, message
  FROM (VALUES
    -- The first are compared first: an access of a value has these two.
    ('secret_id', '{path}', 'uuid', NULL, NULL, NULL),
    ('revision', '{path}', 'revision', NULL, NULL, NULL),
    ('key_id', '{path,body}', 'uuid', NULL, NULL, NULL),
    ('organization_id', '{query}', 'uuid', NULL, NULL, NULL),
    ('project_id', '{query,body}', 'uuid', NULL, NULL, NULL),
    ('name', '{query,body}', 'name', NULL, NULL, NULL),
    ('secret_name', '{query}', 'name', NULL, NULL, NULL),
    ('path', '{query,body}', 'path', NULL, NULL, NULL),
    ('secret_path', '{query}', 'path', NULL, NULL, NULL),
    ('prefix', '{query}', 'path', NULL, NULL, NULL),
    ('description', '{body}', 'description', NULL, NULL, NULL),
    ('tags', '{query,body}', 'tags', NULL, NULL, NULL),
    ('type', '{query,body}', 'choice',
     '{unknown_type,opaque,certificate,key_value,basic_credentials,database_credentials,ssh_key}',
     NULL, NULL),
    ('product', '{body}', 'choice', '{edge_services,s2s_vpn}', NULL, NULL),
    ('protected', '{body}', 'boolean', NULL, NULL, NULL),
    ('disable_previous', '{body}', 'boolean', NULL, NULL, NULL),
    ('data', '{data}', 'data', NULL, NULL, NULL),
    ('data_crc32', '{body}', 'crc32', NULL, NULL, NULL),
    ('ephemeral_policy', '{body}', 'ephemeral_policy', NULL, NULL, NULL),
    ('ephemeral_properties', '{body}', 'ephemeral_properties', NULL, NULL, NULL),
    ('ephemeral', '{query}', 'boolean', NULL, NULL, NULL),
    ('scheduled_for_deletion', '{query}', 'boolean', NULL, NULL, NULL),
    ('status', '{query}', 'choices',
     '{unknown_status,enabled,disabled,deleted,scheduled_for_deletion}', NULL, NULL),
    ('order_by', '{query}', 'choice',
     '{name_asc,name_desc,created_at_asc,created_at_desc,updated_at_asc,updated_at_desc}',
     NULL, NULL),
    ('page', '{query}', 'integer', NULL,
     'v_text::integer >= 1', 'value must be at least 1'),
    ('page_size', '{query}', 'integer', NULL,       -- 0 stands for the default
     'v_text::integer BETWEEN 0 AND 100', 'value must be from 1 to 100'),
    -- Keys.
    ('unprotected', '{body}', 'boolean', NULL, NULL, NULL),
    ('rotation_policy', '{body}', 'rotation_policy', NULL, NULL, NULL),
    ('usage', '{body}', 'usage', NULL, NULL, NULL),
    ('usages', '{query}', 'texts', NULL, NULL, NULL),       -- another word matches nothing
    ('origin', '{body}', 'choice', '{unknown_origin,scaleway_kms,external}',
     $$v_text <> 'external'$$, 'material from elsewhere is not taken'),
    ('protection_level', '{query}', 'choice', '{unknown_protection_level,software,hsm}',
     NULL, NULL),
    ('new_protection_level', '{body}', 'choice', '{unknown_protection_level,software,hsm}',
     $$v_text <> 'hsm'$$, 'hardware protection is not available'),
    ('algorithm', '{body}', 'choice', '{unknown_symmetric_encryption,aes_256_gcm}', NULL, NULL),
    ('without_plaintext', '{body}', 'boolean', NULL, NULL, NULL),
    ('plaintext', '{cut}', 'cut', NULL,
     $$(v_value ->> 'size')::bigint <= 65535$$, 'value must have at most 65535 bytes once decoded'),
    ('ciphertext', '{cut}', 'cut', NULL,
     $$(v_value ->> 'size')::bigint <= 131071$$,
     'value must have at most 131071 bytes once decoded'),
    ('associated_data', '{cut}', 'cut_or_empty', NULL, NULL, NULL),  -- as long as a request
    -- Events and changes.
    ('resource_type', '{query}', 'text', NULL, NULL, NULL),
    ('resource_id', '{query}', 'text', NULL, NULL, NULL),
    ('principal_id', '{query}', 'uuid', NULL, NULL, NULL),
    ('method_name', '{query}', 'text', NULL, NULL, NULL),
    ('product_name', '{query}', 'text', NULL, NULL, NULL),
    ('service_name', '{query}', 'text', NULL, NULL, NULL),
    ('source_ip', '{query}', 'address', NULL, NULL, NULL),
    ('status_code', '{query}', 'integer', NULL, NULL, NULL),
    ('recorded_after', '{query}', 'time', NULL, NULL, NULL),
    ('recorded_before', '{query}', 'time', NULL, NULL, NULL),
    ('event_order', '{query}', 'choice', '{recorded_at_desc,recorded_at_asc}', NULL, NULL),
    ('page_token', '{query}', 'page_token', NULL, NULL, NULL),
    ('after', '{query}', 'cursor', NULL, NULL, NULL),
    ('wait', '{query}', 'integer', NULL,
     'v_text::integer BETWEEN 0 AND 60', 'value must be from 0 to 60')
) AS form(argument, places, kind, choices, limits, message);
COMMENT ON VIEW rule.argument_form IS
    'Every argument of the API: the places in a request where endpoints take it from, its kind, '
    'the values to choose from, and the limits that its value must keep, with the message for a '
    'value that does not.';

CREATE VIEW rule.argument_kind AS
SELECT * FROM (VALUES
    -- kind, JSON type, SQL type, value as that type, own check
    ('uuid', 'string', 'uuid', 'v_text', NULL),
    ('text', 'string', 'text', 'v_text', NULL),
    ('revision', 'string', 'text', 'v_text', NULL),
    ('name', 'string', 'text', 'v_text', NULL),
    ('path', 'string', 'text', 'v_text', NULL),
    ('description', 'string', 'text', 'v_text', NULL),
    ('choice', 'string', 'text', 'v_text', NULL),
    ('cursor', 'string', 'text', 'v_text', NULL),
    ('address', 'string', 'inet', 'v_text', NULL),
    ('time', 'string', 'timestamptz', 'rule.ephemeral_time(v_text)', NULL),
    ('page_token', 'string', 'rule.event_token', 'rule.event_token(v_text)', NULL),
    ('boolean', 'boolean', 'boolean', 'v_text', NULL),
    ('integer', 'number', 'integer', 'v_text', NULL),
    ('crc32', NULL, 'bigint', 'v_text', NULL),
    ('texts', 'array', 'text[]', 'rule.argument_texts(v_value)', NULL),
    ('tags', 'array', 'text[]', 'rule.argument_texts(v_value)', NULL),
    ('choices', 'array', 'text[]', 'rule.argument_texts(v_value)', NULL),
    ('ephemeral_policy', NULL, 'rule.ephemeral_policy', 'rule.ephemeral_policy(v_value)',
     'rule.ephemeral_policy_check(v_name, v_value)'),
    ('ephemeral_properties', NULL, 'rule.ephemeral_properties',
     'rule.ephemeral_properties(v_value)', 'rule.ephemeral_properties_check(v_name, v_value)'),
    ('rotation_policy', NULL, 'rule.rotation_policy', 'rule.rotation_policy(v_value)',
     'rule.rotation_policy_check(v_name, v_value)'),
    -- An endpoint does not get these: the value is elsewhere, or there is only one.
    ('usage', 'object', NULL, NULL, NULL),
    ('cut', NULL, NULL, NULL, NULL),
    ('cut_or_empty', NULL, NULL, NULL, NULL),
    ('data', 'string', NULL, NULL, 'rule.payload_fault(data)')
) AS kind(kind, json, type, value, own_check);
COMMENT ON VIEW rule.argument_kind IS
    'Every kind of argument: the JSON type of a value, the SQL type of the member of rule.argument '
    '(null: none), the expression that gives the value as that type, and an expression that gives '
    'faults in addition to rule.argument_check.';

-- An expression reads v_value (JSON) and v_text (the same as text; a path is normalised). The
-- choices of the argument replace %L, and %s in the message. The checks of the JSON type come
-- first.
CREATE VIEW rule.argument_check AS
SELECT * FROM (VALUES
    ('string', 0, 'format', $$jsonb_typeof(v_value) = 'string'$$, 'value must be a string'),
    ('boolean', 0, 'format', $$jsonb_typeof(v_value) = 'boolean'$$, 'value must be a boolean'),
    ('number', 0, 'format', $$jsonb_typeof(v_value) = 'number'$$, 'value must be an integer'),
    ('object', 0, 'format', $$jsonb_typeof(v_value) = 'object'$$, 'value must be an object'),
    ('array', 0, 'format',
     $$jsonb_typeof(v_value) = 'array'
       AND NOT jsonb_path_exists(v_value, 'strict $[*] ? (@.type() != "string")')$$,
     'value must be a list of strings'),

    ('uuid', 1, 'format', $$v_text ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'$$,
     'value must be a valid UUID'),
    ('revision', 1, 'format',
     $$v_text IN ('latest', 'latest_enabled') OR v_text ~ '^[1-9][0-9]*$'$$,
     'value must be a number from 1, latest or latest_enabled'),
    ('name', 1, 'constraint', 'length(v_text) BETWEEN 1 AND 255',
     'value must have 1 to 255 characters'),
    ('name', 2, 'format', $$v_text ~ '^[A-Za-z0-9._-]+$'$$,
     'value may hold letters, digits and . _ - only'),
    ('path', 1, 'format', $$v_text ~ '^[A-Za-z0-9._/-]+$'$$,
     'value may hold letters, digits and . _ - between slashes only'),
    ('path', 2, 'constraint',
     $$octet_length(v_text) <= 1024 AND length(v_text) - length(replace(v_text, '/', '')) <= 32$$,
     'value must have at most 32 components and 1024 bytes'),
    ('path', 3, 'constraint', $$v_text !~ '[^/]{255}[^/]'$$,
     'each component must have at most 255 characters'),
    ('description', 1, 'constraint', 'octet_length(v_text) <= 65535',
     'value must have at most 65535 bytes'),
    ('description', 2, 'constraint', 'octet_length(to_json(v_text)::text) <= 65535 + 2',   -- quotes
     'value must have at most 65535 bytes when JSON writes it'),
    ('tags', 1, 'constraint', 'jsonb_array_length(v_value) <= 100',
     'value must have at most 100 elements'),
    ('tags', 2, 'constraint',
     $$NOT EXISTS (SELECT FROM jsonb_array_elements_text(v_value) AS tag
                    WHERE length(tag) NOT BETWEEN 1 AND 255)$$,
     'each element must have 1 to 255 characters'),
    ('tags', 3, 'constraint',
     $$NOT EXISTS (SELECT FROM jsonb_array_elements(v_value) AS tag
                    WHERE octet_length(tag::text) > 4 * 255 + 2)$$,
     'each element must have at most 1020 bytes when JSON writes it'),
    ('choice', 1, 'format', 'v_text = ANY (%L)', 'value must be one of %s'),
    ('choices', 1, 'format',
     $$NOT EXISTS (SELECT FROM jsonb_array_elements_text(v_value) AS choice
                    WHERE choice <> ALL (%L))$$,
     'value must be one of %s'),
    ('time', 1, 'format', 'rule.ephemeral_time(v_text) IS NOT NULL',
     'value must be a time in RFC 3339 form'),
    ('address', 1, 'format', 'rule.argument_is_address(v_text)', 'value must be an IP address'),
    -- A time since 2000 in microseconds, of the next nine thousand years, and an id.
    ('page_token', 1, 'format', $$v_text ~ '^0[0-3][0-9a-f]{14}[0-7][0-9a-f]{15}$'$$,
     'value must be the next_page_token of another answer'),
    ('cursor', 1, 'format', $$v_text ~ '^([1-9][0-9]{0,8}[.][0-9]{1,18}|latest)$'$$,
     'value must be the cursor of another answer, or latest'),
    ('crc32', 1, 'format',
     $$jsonb_typeof(v_value) = 'number' AND v_text ~ '^[0-9]{1,10}$'
       AND v_text::bigint <= 4294967295$$,
     'value must be an unsigned 32-bit integer'),
    ('usage', 1, 'constraint',
     $$jsonb_strip_nulls(v_value) = '{"symmetric_encryption": "aes_256_gcm"}'$$,
     'value must be {"symmetric_encryption":"aes_256_gcm"}'),
    -- The daemon keeps these values, and says whether they are base64 and how long.
    ('cut', 1, 'format', $$v_value ->> 'state' = 'given'$$, 'value must be base64'),
    ('cut', 2, 'required', $$v_value ->> 'size' <> '0'$$, 'value is required'),
    ('cut_or_empty', 1, 'format', $$v_value ->> 'state' = 'given'$$, 'value must be base64'),
    ('data', 1, 'format', $$v_text = 'given'$$, 'value must be base64')
) AS checks(kind, place, reason, holds, message);
COMMENT ON VIEW rule.argument_check IS
    'What must hold of a value of each kind and JSON type, in the order of place; the reason and '
    'the message of the fault if it does not.';

DO $$
BEGIN
    -- dynamic: the members come from the views
    EXECUTE (SELECT format('CREATE TYPE rule.argument AS (%s)',
                           string_agg(format('%I %s', f.argument, k.type), ', ' ORDER BY f.no))
               FROM rule.argument_form f JOIN rule.argument_kind k USING (kind)
              WHERE k.type IS NOT NULL);
END
$$;
COMMENT ON TYPE rule.argument IS
    'Every argument of the API, checked and typed by rule.arguments; null: absent.';
