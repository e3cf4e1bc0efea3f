-- What the specs share: one organization whose key may do everything, and calls of API functions
-- that say in one line what came of them, without ids and times.

CREATE SCHEMA stage;
GRANT USAGE ON SCHEMA stage TO coffer_api, coffer_operator;

-- Ids that a spec may name.
CREATE FUNCTION stage.organization_id() RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN '0a000000-0000-4000-8000-000000000001'::uuid;
CREATE FUNCTION stage.project_id() RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN '0b000000-0000-4000-8000-000000000001'::uuid;
CREATE FUNCTION stage.kek_id() RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN '0c000000-0000-4000-8000-000000000001'::uuid;
CREATE FUNCTION stage.token() RETURNS bytea LANGUAGE sql IMMUTABLE
RETURN sha256('the only API key'::bytea);
CREATE FUNCTION stage.wrapped() RETURNS bytea LANGUAGE sql IMMUTABLE
RETURN decode(repeat('00', 60), 'hex');     -- only a daemon opens one, and there is none

-- What the rotation of a managed key is known by.
CREATE FUNCTION stage.rotation_id(rotation integer) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN ('0d000000-0000-4000-8000-' || lpad(rotation::text, 12, '0'))::uuid;
CREATE FUNCTION stage.key_id() RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN '0e000000-0000-4000-8000-000000000001'::uuid;

-- The secret of a name; of two, the elder.
CREATE FUNCTION stage.secret_id(name text) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
RETURN (SELECT s.id FROM store.secret s WHERE s.name = secret_id.name ORDER BY s.created_at
        LIMIT 1);

CREATE FUNCTION stage.said(answer api.answer) RETURNS text LANGUAGE sql STABLE
RETURN (SELECT concat_ws(' ', answer.status,
               CASE WHEN answer.status >= 400 THEN b.body ->> 'type' END,
               b.body ->> 'need',
               b.body ->> 'resource',
               b.body ->> 'help_message',
               b.body #>> '{details,0,help_message}',
               (b.body #>> '{details,0,current}') || ' of ' || (b.body #>> '{details,0,quota}'),
               'revision ' || (b.body ->> 'revision'),
               b.body ->> 'status',
               convert_from(decode(b.body ->> 'data', 'base64'), 'UTF8'))
          FROM (SELECT answer.body::jsonb) AS b(body));

-- Call an API function about the secret of a name: as the daemon does, at the first go with the
-- right key.
CREATE FUNCTION stage.call(method text, name text, body jsonb DEFAULT '{}',
                           revision text DEFAULT NULL, data text DEFAULT NULL,
                           kek uuid DEFAULT stage.kek_id())
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    v_secret_id CONSTANT uuid := stage.secret_id(name);
    v_answer    api.answer;
BEGIN
    EXECUTE format('SELECT * FROM api.%I($1, $2, $3, $4)', method) INTO v_answer
      USING jsonb_build_object(
                'id', gen_random_uuid(), 'instance', gen_random_uuid(), 'region', 'fr-par', 'query',
                    jsonb '{}', 'body', body,
                'path', jsonb_strip_nulls(jsonb_build_object('secret_id', v_secret_id, 'revision',
                    revision)),
                'data', CASE WHEN data IS NULL THEN 'absent' ELSE 'given' END,
                'key', jsonb_build_object('secret_id', v_secret_id, 'kek_id', kek),
                'ip', '127.0.0.1', 'user_agent', 'isolation'),
            stage.token(), sha512(convert_to(v_secret_id::text, 'UTF8')), convert_to(data, 'UTF8');
    RETURN stage.said(v_answer);
END
$$;

-- Create a secret with members of the body besides its name.
CREATE FUNCTION stage.create(name text, body jsonb DEFAULT '{}') RETURNS text LANGUAGE sql
RETURN stage.call('secret_create', NULL, body || jsonb_build_object('name', name));

-- Call an API function about the one managed key: with the material of a rotation.
CREATE FUNCTION stage.call_key(method text, rotation integer DEFAULT 1,
                               body jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_answer api.answer;
BEGIN
    EXECUTE format('SELECT * FROM api.%I($1, $2, NULL, NULL)', method) INTO v_answer
      USING jsonb_build_object(
                'id', gen_random_uuid(), 'instance', gen_random_uuid(), 'region', 'fr-par', 'query',
                    jsonb '{}', 'body', body,
                'path', CASE WHEN method = 'key_create' THEN '{}'
                    ELSE jsonb_build_object('key_id', stage.key_id()) END,
                'material', jsonb_build_object('key_id', stage.key_id(), 'kek_id',
                                               stage.rotation_id(rotation),
                                               'root_id', repeat('0', 16), 'wrapped',
                                                   encode(stage.wrapped(), 'base64')),
                'ip', '127.0.0.1', 'user_agent', 'isolation'),
            stage.token();
    RETURN concat_ws(' ', stage.said(v_answer),
                     'rotations ' || (v_answer.body::jsonb ->> 'rotation_count'),
                     v_answer.body::jsonb ->> 'state');
END
$$;

-- Create the managed key, and members for the create of a secret under it.
CREATE FUNCTION stage.create_key(body jsonb DEFAULT '{}') RETURNS text LANGUAGE sql
RETURN stage.call_key('key_create', 1,
                      body || '{"usage": {"symmetric_encryption": "aes_256_gcm"}, "unprotected": '
                              'true}');

CREATE FUNCTION stage.under_key() RETURNS jsonb LANGUAGE sql
RETURN jsonb_build_object('key_id', stage.key_id());

-- Members for the create of an ephemeral secret: its versions are read once, or live for a minute.
CREATE FUNCTION stage.read_once(action text) RETURNS jsonb LANGUAGE sql
RETURN jsonb_build_object('ephemeral_policy',
                          jsonb_build_object('expires_once_accessed', true, 'action', action));
CREATE FUNCTION stage.one_minute(action text) RETURNS jsonb LANGUAGE sql
RETURN jsonb_build_object('ephemeral_policy',
                          jsonb_build_object('time_to_live', '60s', 'action', action));

-- What there is: the secrets of a spec with their versions.
CREATE VIEW stage.secret AS
SELECT s.name, s.status, s.deletion_requested_at IS NOT NULL AS scheduled, s.last_revision,
       (SELECT string_agg(v.revision || ' ' || v.status, ', ' ORDER BY v.revision)
          FROM store.version v WHERE v.secret_id = s.id) AS versions
  FROM store.secret s;

-- Which rotation each version is under.
CREATE VIEW stage.rotation AS
SELECT s.name, d.revision, k.rotation FROM store.secret s JOIN store.dek d ON d.secret_id = s.id
  JOIN store.kek k ON k.id = d.kek_id;

CREATE FUNCTION stage.clear() RETURNS void LANGUAGE sql AS $$
    DELETE FROM store.secret;
    DELETE FROM store.kek WHERE key_id IS NOT NULL;
    DELETE FROM store.managed_key;
    DELETE FROM store.quota;
    DELETE FROM store.setting;
$$;

SELECT operator.organization_create('stage', stage.organization_id());
SELECT operator.project_create(stage.organization_id(), 'stage', stage.project_id());
SELECT daemon.pepper_keep(repeat('0', 16), stage.wrapped());
SELECT daemon.kek_keep(stage.project_id(), stage.kek_id(), repeat('0', 16), stage.wrapped());
SELECT operator.policy_create(principal_id, 'all',
                              '{SecretManagerFullAccess,KeyManagerFullAccess}'),
       operator.api_key_add(principal_id, 'SCW00000000000000000', stage.token(), stage.project_id())
  FROM operator.principal_create(stage.organization_id(), 'application', 'stage') AS principal_id;
