-- Each permission set against each API function of secrets, in projects of a policy and elsewhere.
BEGIN;
\ir setup.sql

SELECT operator.quota_set(organization('acme'), 'secret', 1000) \g /dev/null

-- What each API function needs. Of the secret, version 1 is enabled, 2 disabled and 3 scheduled.
CREATE TABLE test.endpoint (endpoint text, action text, revision text, arguments text,
                            body jsonb DEFAULT '{}', data bytea);
INSERT INTO test.endpoint (endpoint, action, revision, arguments, body, data) VALUES
    ('secret_list', 'read', NULL, '{project_id}', '{}', NULL),
    ('secret_browse', 'read', NULL, '{project_id}', '{}', NULL),
    ('tag_list', 'read', NULL, '{project_id}', '{}', NULL),
    ('secret_type_list', 'read', NULL, '{project_id}', '{}', NULL),
    ('secret_get', 'read', NULL, '{}', '{}', NULL),
    ('secret_version_list', 'read', NULL, '{}', '{}', NULL),
    ('secret_version_get', 'read', '1', '{}', '{}', NULL),
    ('secret_version_access', 'access', '1', '{}', '{}', NULL),
    ('secret_version_access_by_path', 'access', '1', '{project_id,secret_name}', '{}', NULL),
    ('secret_create', 'create', NULL, '{}', '{"name": "another"}', NULL),
    ('secret_version_create', 'create', NULL, '{}', '{"disable_previous": true}', 'data'),
    ('secret_update', 'write', NULL, '{}', '{"description": "updated"}', NULL),
    ('secret_protect', 'write', NULL, '{}', '{}', NULL),
    ('secret_unprotect', 'write', NULL, '{}', '{}', NULL),
    ('secret_add_owner', 'write', NULL, '{}', '{"product": "s2s_vpn"}', NULL),
    ('secret_version_update', 'write', '1', '{}', '{"description": "updated"}', NULL),
    ('secret_version_enable', 'write', '2', '{}', '{}', NULL),
    ('secret_version_disable', 'write', '1', '{}', '{}', NULL),
    ('secret_delete', 'delete', NULL, '{}', '{}', NULL),
    ('secret_version_delete', 'delete', '1', '{}', '{}', NULL),
    ('secret_restore', 'restore', NULL, '{}', '{}', NULL),
    ('secret_version_restore', 'restore', '3', '{}', '{}', NULL);

SELECT results_eq(
    $$SELECT DISTINCT p.proname::text COLLATE "C" FROM pg_proc p
       WHERE p.pronamespace = 'api'::regnamespace AND p.proname ~ '^(secret|tag)_' ORDER BY 1$$,
    $$SELECT e.endpoint COLLATE "C" FROM test.endpoint e ORDER BY 1$$,
    'no API function of secrets is missing here');

-- Whether the path names the secret. The others name the project or the secret in an argument.
CREATE FUNCTION test.names_secret(asked test.endpoint) RETURNS boolean LANGUAGE sql AS $$
    SELECT asked.arguments = '{}' AND asked.endpoint <> 'secret_create'
$$;

-- What a caller gets of an API function for a new secret of a project: the beginning of its answer.
CREATE FUNCTION test.answered(asked test.endpoint, caller text, project text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_name    CONSTANT text := concat_ws('.', asked.endpoint, caller, project);
    v_project CONSTANT text := test.project(project);
    v_answer  test.answer;
BEGIN
    PERFORM test.make_all_states(v_name, CASE project WHEN 'main' THEN 'owner' ELSE 'guest' END);
    IF asked.endpoint = 'secret_restore' THEN
        PERFORM test.given('secret_delete', v_name);
    END IF;
    v_answer := test.call(
        asked.endpoint, CASE WHEN test.names_secret(asked) THEN v_name END,
        asked.revision,
        asked.body || CASE asked.endpoint WHEN 'secret_create'
                      THEN jsonb_build_object('name', 'new.' || v_name,
                                              'project_id', v_project)
                      ELSE '{}' END,
        (SELECT coalesce(jsonb_object_agg(
                    n, CASE n WHEN 'project_id' THEN v_project ELSE v_name END), '{}')
           FROM unnest(asked.arguments::text[]) AS n),
        asked.data, caller);
    RETURN split_part(test.brief(v_answer), ' ', 1)
        || coalesce(' ' || nullif(split_part(test.brief(v_answer), ' ', 2), ''), '');
END
$$;

CREATE FUNCTION test.allowed(asked test.endpoint) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN asked.endpoint IN ('secret_add_owner', 'secret_delete',
                                        'secret_version_delete') THEN '204' ELSE '200' END
$$;

-- Permission sets ----------------------------------------------------------------------------

CREATE TABLE test.permission_set (name text, actions text[]);
INSERT INTO test.permission_set VALUES
    ('SecretManagerReadOnly', '{read}'),
    ('SecretManagerSecretAccess', '{access}'),
    ('SecretManagerSecretCreate', '{create}'),
    ('SecretManagerSecretWrite', '{write}'),
    ('SecretManagerSecretDelete', '{delete}'),
    ('SecretManagerSecretRestore', '{restore}'),
    ('SecretManagerFullAccess', '{read,access,create,write,delete,restore}'),
    ('AllProductsReadOnly', '{read}'),
    ('AllProductsFullAccess', '{read,access,create,write,delete,restore}');
SELECT make_caller(s.name, 'acme', ARRAY[s.name], NULL, 'main') FROM test.permission_set s
\g /dev/null

SELECT is(answered(e, s.name, 'main'),
          CASE WHEN e.action = ANY (s.actions) THEN allowed(e) ELSE '403 permissions_denied' END,
          format('%s with %s', e.endpoint, s.name))
  FROM test.permission_set s, test.endpoint e;

SELECT is(answered(e, 'nobody', 'main'), '403 permissions_denied',
          e.endpoint || ' without a policy')
  FROM test.endpoint e;

-- Of keys, tests of the API functions try the rights; these are the sets that give them.
SELECT results_eq(
    $$SELECT s.name, a.action
        FROM unnest(rule.caller_permission_sets_known()) AS s(name),
             unnest('{read,create,write,delete,restore,encrypt,decrypt}'::text[]) AS a(action)
       WHERE s.name = ANY (rule.caller_permission_sets(a.action, 'key'))
       ORDER BY s.name COLLATE "C", a.action COLLATE "C"$$,
    $$SELECT s.name, a.action
        FROM (VALUES ('AllProductsFullAccess',
                      '{create,decrypt,delete,encrypt,read,restore,write}'),
                     ('AllProductsReadOnly', '{read}'), ('KeyManagerFullAccess',
                      '{create,decrypt,delete,encrypt,read,restore,write}'),
                     ('KeyManagerKeyCreate', '{create}'), ('KeyManagerKeyDecrypt', '{decrypt}'),
                     ('KeyManagerKeyDelete', '{delete}'), ('KeyManagerKeyEncrypt', '{encrypt}'),
                     ('KeyManagerKeyRestore', '{restore}'), ('KeyManagerKeyWrite', '{write}'),
                     ('KeyManagerReadOnly', '{read}')) AS s(name, actions),
             unnest(s.actions::text[]) AS a(action)
       ORDER BY s.name COLLATE "C", a.action COLLATE "C"$$,
    'the permission sets of keys give what the contract says');

-- Projects and organizations -----------------------------------------------------------------

SELECT is(answered(e, 'guest', 'other'), allowed(e), e.endpoint || ' in the project of a policy')
  FROM test.endpoint e;
SELECT is(answered(e, 'guest', 'main'), '403 permissions_denied',
          e.endpoint || ' in another project than that of the policy')
  FROM test.endpoint e;

-- What is of another organization is not there; a project of it is one without rights.
SELECT is(answered(e, 'stranger', 'main'),
          CASE WHEN names_secret(e) THEN '404 not_found'
               ELSE '403 permissions_denied' END,
          e.endpoint || ' in another organization')
  FROM test.endpoint e;

SELECT finish();
ROLLBACK;
