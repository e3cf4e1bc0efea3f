-- What a test has around it, included after BEGIN; all of it goes with the ROLLBACK.
--
--     organizations   acme, and rival, which must never notice each other
--     projects        main and other of acme, foreign of rival
--     callers         owner        may do everything in acme; the default project is main
-- guest        may do everything in project other of acme, and nothing elsewhere
--                     stranger     may do everything in rival
--                     only ACTION, all but ACTION
-- have the permission set of one action (read access create write delete restore)
--                                  in acme, or all except those that give it
--                     nobody       has no policy
--                     expired, revoked, unknown
--                                  have an API key that is no longer one, or never was
-- secrets         ready, protected, scheduled, locked, managed in project main, and foreign in the
-- other
-- organization: each is in the state that it is called after, and has one version, "value"

\ir raised.sql

-- Calling ----------------------------------------------------------------------

CREATE TYPE test.answer AS (status integer, body jsonb, text text, receipt bigint);
CREATE TABLE test.secret_name (id uuid, name text, place integer GENERATED ALWAYS AS IDENTITY);

-- A secret, or a key, by the name it was made with, even when it is gone; another text is given
-- back, to be sent as it is.
CREATE FUNCTION test.secret(name text) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce((SELECT n.id::text FROM test.secret_name n WHERE n.name = $1
                      ORDER BY n.place DESC LIMIT 1), $1)
$$;

CREATE FUNCTION test.project(name text) RETURNS uuid LANGUAGE sql AS $$
    SELECT p.id FROM store.project p WHERE p.name = $1
$$;

CREATE FUNCTION test.organization(name text) RETURNS uuid LANGUAGE sql AS $$
    SELECT o.id FROM store.organization o WHERE o.name = $1
$$;

-- The digest of a caller's API key.
CREATE FUNCTION test.token(caller text) RETURNS bytea LANGUAGE sql AS $$
    SELECT sha256(convert_to(caller, 'UTF8'))
$$;

-- What the daemon would derive for a secret from a key-encryption key.
CREATE FUNCTION test.access_key(secret_id text, kek_id text) RETURNS bytea LANGUAGE sql AS $$
    SELECT sha512(convert_to(secret_id || kek_id, 'UTF8'))
$$;

-- What the daemon says of a key that it sends along.
CREATE FUNCTION test.key_of(secret_id text, kek_id text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('key', jsonb_build_object('secret_id', secret_id, 'kek_id', kek_id))
$$;

-- What the daemon brings as a rotation of a managed key.
CREATE FUNCTION test.material(key_id text, kek_id uuid, root_id text DEFAULT '0123456789abcdef',
                              rotation text DEFAULT NULL)
RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('material',
                              jsonb_build_object('key_id', key_id, 'kek_id', kek_id, 'root_id',
                                                 root_id,
                                                             'rotation', rotation, 'wrapped',
                                                                 encode(decode(repeat('00', 60),
                                                                     'hex'), 'base64')))
$$;

-- What the daemon says of its cryptography: "Y2lwaGVy", but null for a ciphertext that was of the
-- newest rotation. One that a request says is unsound does not open.
CREATE FUNCTION test.cipher(need jsonb, said jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('cipher', jsonb_build_object(
        'kek_id', need #> '{keys,0,kek_id}', 'rotation', need #> '{keys,0,rotation}', 'sound',
            NOT said ? 'unsound',
        'ciphertext', CASE WHEN NOT said ? 'ciphertext'
            OR said #> '{ciphertext,rotation}' <> need #> '{keys,0,rotation}'
                           THEN 'Y2lwaGVy' END))
$$;

-- A request document. A query argument may be written without the list around it.
CREATE FUNCTION test.request(secret text DEFAULT NULL, revision text DEFAULT NULL,
                             body jsonb DEFAULT '{}',
                             query jsonb DEFAULT '{}', data bytea DEFAULT NULL,
                                 extra jsonb DEFAULT '{}')
RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object(
        'id', gen_random_uuid(), 'instance', gen_random_uuid(), 'region', 'fr-par', 'domain',
            'scw.eu',
        'path', jsonb_strip_nulls(jsonb_build_object('secret_id', test.secret(secret), 'revision',
                                                     revision)),
        'query', (SELECT coalesce(jsonb_object_agg(key, CASE jsonb_typeof(value) WHEN 'array'
                                                   THEN value
                                                        ELSE jsonb_build_array(value) END), '{}')
                    FROM jsonb_each(query)),
        'body', body,
        'data', CASE WHEN data IS NULL THEN 'absent' ELSE 'given' END,
        'ip', '192.0.2.1', 'user_agent', 'test') || extra
$$;

-- Call an API function once, as the daemon's role.
CREATE FUNCTION test.api_call(endpoint text, request jsonb, caller text DEFAULT 'owner',
                           key bytea DEFAULT NULL,
                           data bytea DEFAULT NULL)
RETURNS test.answer LANGUAGE plpgsql AS $$
DECLARE
    v_answer api.answer;
    v_token  CONSTANT bytea := test.token(caller);
BEGIN
    SET LOCAL SESSION AUTHORIZATION coffer_api;
    EXECUTE format('SELECT * FROM api.%I($1, $2, $3, $4)', endpoint) INTO v_answer
        USING request, v_token, key, data;
    RESET SESSION AUTHORIZATION;
    IF v_answer.status = 200 AND endpoint IN ('secret_create', 'key_create') THEN
        INSERT INTO test.secret_name (id, name)
        SELECT (v_answer.body::jsonb ->> 'id')::uuid, v_answer.body::jsonb ->> 'name';
    END IF;
    RETURN (v_answer.status, v_answer.body, v_answer.body, v_answer.receipt)::test.answer;
END
$$;

-- Call an API function as the daemon does: again and again while it answers with a challenge.
CREATE FUNCTION test.call(endpoint text, secret text DEFAULT NULL, revision text DEFAULT NULL,
                          body jsonb DEFAULT '{}', query jsonb DEFAULT '{}',
                              data bytea DEFAULT NULL,
                          caller text DEFAULT 'owner', extra jsonb DEFAULT '{}')
RETURNS test.answer LANGUAGE plpgsql AS $$
DECLARE
    v_request   jsonb := test.request(secret, revision, body, query, data, extra);
    v_answer    test.answer;
    v_challenge jsonb;
    v_key       bytea;
BEGIN
    FOR i IN 1..4 LOOP
        v_answer := test.api_call(endpoint, v_request, caller, v_key, data);
        EXIT WHEN v_answer.status <> 0;
        v_challenge := v_answer.body;
        IF v_challenge ->> 'need' = 'material' THEN
            v_request := v_request || test.material(v_challenge ->> 'key_id', gen_random_uuid(),
                                                    rotation => v_challenge ->> 'rotation');
        ELSIF v_challenge ->> 'need' = 'cipher' THEN
            v_request := v_request || test.cipher(v_challenge, extra);
        ELSIF v_challenge ->> 'need' = 'kek' THEN
            PERFORM daemon.kek_keep((v_challenge ->> 'project_id')::uuid, gen_random_uuid(),
                                    '0123456789abcdef', decode(repeat('00', 60), 'hex'));
        ELSE
            v_key := test.access_key(v_challenge ->> 'secret_id', v_challenge ->> 'kek_id');
            v_request := v_request || test.key_of(v_challenge ->> 'secret_id',
                                                  v_challenge ->> 'kek_id');
        END IF;
    END LOOP;
    RETURN v_answer;
END
$$;

-- Arranging --------------------------------------------------------------------

SELECT daemon.pepper_keep('0123456789abcdef', decode(repeat('00', 60), 'hex')) \g /dev/null

CREATE FUNCTION test.make_secret(name text, body jsonb DEFAULT '{}', caller text DEFAULT 'owner')
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_answer CONSTANT test.answer := test.call('secret_create',
                                               body => jsonb_build_object('name', name) || body,
                                               caller => caller);
BEGIN
    ASSERT v_answer.status = 200, v_answer.text;
END
$$;

CREATE FUNCTION test.make_version(secret text, data text DEFAULT 'value', body jsonb DEFAULT '{}',
                                  caller text DEFAULT 'owner')
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_answer CONSTANT test.answer := test.call('secret_version_create', secret, body => body,
                                               caller => caller, data => convert_to(data, 'UTF8'));
BEGIN
    ASSERT v_answer.status = 200, v_answer.text;
END
$$;

-- A secret with version 1 enabled, 2 disabled and 3 scheduled for deletion.
CREATE FUNCTION test.make_all_states(name text, caller text DEFAULT 'owner') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM test.make_secret(name, caller => caller),
            test.make_version(name, caller => caller), test.make_version(name, caller => caller),
            test.make_version(name, caller => caller);
    PERFORM test.given('secret_version_disable', name, '2'),
            test.given('secret_version_delete', name, '3');
END
$$;

-- A call that only prepares what is tested.
CREATE FUNCTION test.given(endpoint text, secret text, revision text DEFAULT NULL,
                           body jsonb DEFAULT '{}')
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_answer CONSTANT test.answer := test.call(endpoint, secret, revision, body);
BEGIN
    ASSERT v_answer.status IN (200, 204), v_answer.text;
END
$$;

CREATE FUNCTION test.long_ago() RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT '2001-02-03 04:05:06.789+00'::timestamptz
$$;

-- Let a secret and its versions have last changed long ago, so that a change shows.
CREATE FUNCTION test.backdate(secret text) RETURNS void LANGUAGE sql AS $$
    UPDATE store.secret SET created_at = test.long_ago(), updated_at = test.long_ago()
     WHERE id = test.secret(backdate.secret)::uuid;
    UPDATE store.version SET created_at = test.long_ago(), updated_at = test.long_ago()
     WHERE secret_id = test.secret(backdate.secret)::uuid;
$$;

-- Let a version expire now, as its action says and a policy of the creation means it.
CREATE FUNCTION test.expire(secret text, revision integer, action text) RETURNS void LANGUAGE sql
    AS $$
    UPDATE store.version
       SET expires_at = clock_timestamp(), action = expire.action, expires_once_accessed = false,
           recoverable = false
     WHERE secret_id = test.secret(expire.secret)::uuid AND version.revision = expire.revision
$$;

-- Asking -----------------------------------------------------------------------

CREATE FUNCTION test.stored(secret text) RETURNS store.secret LANGUAGE sql AS $$
    SELECT * FROM store.secret s WHERE s.id = test.secret(stored.secret)::uuid
$$;

CREATE FUNCTION test.stored(secret text, revision integer) RETURNS store.version LANGUAGE sql AS $$
    SELECT * FROM store.version v WHERE v.secret_id = test.secret(stored.secret)::uuid
        AND v.revision = stored.revision
$$;

-- All that is stored of secrets and managed keys, as one value to compare.
CREATE FUNCTION test.everything() RETURNS text LANGUAGE sql AS $$
    SELECT md5(concat((SELECT string_agg(s::text, '' ORDER BY id) FROM store.secret s),
                      (SELECT string_agg(v::text, '' ORDER BY secret_id, revision)
                       FROM store.version v),
                      (SELECT string_agg(d::text, '' ORDER BY secret_id, revision)
                       FROM store.dek d),
                      (SELECT string_agg(m::text, '' ORDER BY id) FROM store.managed_key m),
                      (SELECT string_agg(k::text, '' ORDER BY id) FROM store.kek k
                       WHERE k.key_id IS NOT NULL)))
$$;

-- An audit row in words, the newest unless another is meant: "secret_get 404 not_found by owner on
-- ready in main".
CREATE FUNCTION test.audited(receipt bigint DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', e.method, e.status, e.error, 'by ' || coalesce(p.name, e.database_role),
                     'on ' || n.name || coalesce('/' || e.revision, ''), 'in ' || r.name)
      FROM audit.event e
      LEFT JOIN store.principal p ON p.id = e.principal_id
      LEFT JOIN test.secret_name n ON n.id = e.secret_id
      LEFT JOIN store.project r ON r.id = e.project_id
     WHERE e.id = coalesce(receipt, (SELECT max(id) FROM audit.event))
$$;

-- What the audit has kept of the newest call of a method.
CREATE FUNCTION test.detail(method text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT e.request - 'snapshot' FROM audit.event e WHERE e.method = detail.method
     ORDER BY e.id DESC LIMIT 1
$$;

-- An answer in a few words: "412 precondition_failed protected_resource", "200".
CREATE FUNCTION test.brief(answer test.answer) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN answer.status BETWEEN 200 AND 299 THEN answer.status::text
    ELSE concat_ws(' ', answer.status, answer.body ->> 'type', CASE answer.body ->> 'type'
        WHEN 'invalid_arguments' THEN
            (SELECT string_agg(concat_ws(' ', d ->> 'argument_name', d ->> 'reason'), ', '
                               ORDER BY place)
               FROM jsonb_array_elements(answer.body -> 'details') WITH ORDINALITY AS t(d, place))
        WHEN 'denied_authentication' THEN answer.body ->> 'reason'
        WHEN 'permissions_denied' THEN
            concat_ws(' ', answer.body #>> '{details,0,action}',
                      answer.body #>> '{details,0,resource}')
        WHEN 'quotas_exceeded' THEN
            format('%s %s/%s', answer.body #>> '{details,0,resource}',
                   answer.body #>> '{details,0,current}',
                   answer.body #>> '{details,0,quota}')
        WHEN 'not_found' THEN answer.body ->> 'resource'
        WHEN 'locked' THEN answer.body ->> 'resource'
        WHEN 'precondition_failed' THEN answer.body ->> 'precondition'
    END) END
$$;

-- Testing ----------------------------------------------------------------------

-- A call is refused as expected, has changed nothing, and has left the one audit row that says so.
CREATE FUNCTION test.refuses(endpoint text, expected text, title text, secret text DEFAULT NULL,
                             revision text DEFAULT NULL, body jsonb DEFAULT '{}',
                                 query jsonb DEFAULT '{}',
                             data bytea DEFAULT NULL, caller text DEFAULT 'owner',
                                 extra jsonb DEFAULT '{}')
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_before   CONSTANT text := test.everything();
    v_newest   CONSTANT bigint := (SELECT max(id) FROM audit.event);
    v_answer   CONSTANT test.answer := test.call(endpoint, secret, revision, body, query, data,
                                                 caller, extra);
    v_expected CONSTANT text[] := ARRAY[format('%s|%s|%s|%s', v_answer.receipt, endpoint,
                                               v_answer.status,
                                               v_answer.body ->> 'type')];
BEGIN
    RETURN is(test.brief(v_answer)
              || CASE WHEN test.everything() = v_before THEN ''
                  ELSE ', but something has changed' END
              || CASE WHEN ARRAY(SELECT format('%s|%s|%s|%s', e.id, e.method, e.status, e.error)
                                   FROM audit.event e WHERE e.id > v_newest) = v_expected
                 THEN '' ELSE ', but the audit says something else' END,
              expected, format('%s refuses %s (%s)', endpoint, title,
                               split_part(expected, ' ', 2)));
END
$$;

-- Callers whose API key is none are refused.
CREATE FUNCTION test.refuses_without_key(endpoint text, secret text DEFAULT NULL,
                                         revision text DEFAULT NULL,
                                         body jsonb DEFAULT '{}', query jsonb DEFAULT '{}',
                                         data bytea DEFAULT NULL)
RETURNS SETOF text LANGUAGE sql AS $$
    SELECT test.refuses(endpoint, expected, title, secret, revision, body, query, data, caller)
      FROM (VALUES ('unknown', '401 denied_authentication not_found', 'an unknown API key'),
                   ('revoked', '401 denied_authentication not_found', 'a revoked API key'),
                   ('expired', '401 denied_authentication expired', 'an expired API key'))
                       AS t(caller, expected, title)
$$;

-- Secret "ready" is not there for other organizations and in other regions, and is refused to who
-- lacks the right, which is an action and what it is on: "delete secret".
CREATE FUNCTION test.refuses_unprivileged(endpoint text, needed text, revision text DEFAULT NULL,
                                          body jsonb DEFAULT '{}', data bytea DEFAULT NULL)
RETURNS SETOF text LANGUAGE sql AS $$
    SELECT test.refuses_without_key(endpoint, 'ready', revision, body, '{}', data)
    UNION ALL
    SELECT test.refuses(endpoint, expected, title, secret, revision, body, '{}', data, caller,
                        extra)
      FROM (VALUES
               ('400 invalid_arguments secret_id format', 'what is no UUID', 'ready/', 'owner',
                '{}'::jsonb),
               ('404 not_found secret', 'a secret that is not there', gen_random_uuid()::text,
                'owner', '{}'),
               ('404 not_found secret', 'a secret of another region', 'ready', 'owner',
                '{"region": "nl-ams"}'),
               ('404 not_found secret', 'the secret of another organization', 'foreign', 'owner',
                '{}'),
               ('404 not_found secret', 'a caller of another organization', 'ready', 'stranger',
                '{}'),
               ('403 permissions_denied ' || needed, 'a caller with rights in another project',
                'ready', 'guest', '{}'),
               ('403 permissions_denied ' || needed, 'a caller with all rights but the one',
                'ready',
                'all but ' || split_part(needed, ' ', 1), '{}')
           ) AS t(expected, title, secret, caller, extra)
$$;

-- Who and what there is --------------------------------------------------------

CREATE FUNCTION test.make_caller(name text, organization text, permission_sets text[],
                                 projects text[] DEFAULT NULL, default_project text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_principal CONSTANT uuid := operator.principal_create(test.organization(organization),
                                                           'application', name);
BEGIN
    IF permission_sets <> '{}' THEN
        PERFORM operator.policy_create(v_principal, name, permission_sets,
                                       (SELECT array_agg(test.project(p))
                                        FROM unnest(projects) AS p));
    END IF;
    PERFORM operator.api_key_add(v_principal, 'SCW' || upper(substr(md5(name), 1, 17)),
                                 test.token(name),
                                 test.project(default_project));
END
$$;

DO $$
DECLARE
    v_action text;
    v_sets   text[];
    v_state  text;
BEGIN
    PERFORM operator.organization_create('acme');
    PERFORM operator.project_create(test.organization('acme'), 'main');
    PERFORM operator.project_create(test.organization('acme'), 'other');
    PERFORM operator.organization_create('rival');
    PERFORM operator.project_create(test.organization('rival'), 'foreign');

    PERFORM test.make_caller('owner', 'acme', '{SecretManagerFullAccess}', NULL, 'main');
    PERFORM test.make_caller('guest', 'acme', '{SecretManagerFullAccess}', '{other}', 'other');
    PERFORM test.make_caller('stranger', 'rival', '{SecretManagerFullAccess}', NULL, 'foreign');
    PERFORM test.make_caller('nobody', 'acme', '{}', NULL, 'main');
    PERFORM test.make_caller('expired', 'acme', '{SecretManagerFullAccess}', NULL, 'main');
    UPDATE store.api_key SET expires_at = clock_timestamp() WHERE digest = test.token('expired');
    PERFORM test.make_caller('revoked', 'acme', '{SecretManagerFullAccess}', NULL, 'main');
    UPDATE store.api_key SET revoked_at = clock_timestamp() WHERE digest = test.token('revoked');
    FOREACH v_action IN ARRAY '{read,access,create,write,delete,restore}'::text[] LOOP
        v_sets := rule.caller_permission_sets(v_action);
        PERFORM test.make_caller('only ' || v_action, 'acme', v_sets[1:1], NULL, 'main');
        PERFORM test.make_caller('all but ' || v_action, 'acme',
                                 ARRAY(SELECT
                                       unnest(rule.caller_permission_sets_known()) EXCEPT SELECT
                                           unnest(v_sets)),
                                 NULL, 'main');
    END LOOP;

    FOREACH v_state IN ARRAY '{ready,protected,scheduled,locked,managed}'::text[] LOOP
        PERFORM test.make_secret(v_state);
        PERFORM test.make_version(v_state);
    END LOOP;
    PERFORM test.given('secret_protect', 'protected');
    PERFORM test.given('secret_delete', 'scheduled');
    PERFORM operator.secret_lock(test.secret('locked')::uuid);
    PERFORM operator.secret_manage(test.secret('managed')::uuid, 'product');
    PERFORM test.make_secret('foreign', caller => 'stranger');
    PERFORM test.make_version('foreign', caller => 'stranger');
END
$$;
