-- Who calls, and what a caller may do.
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- Who -------------------------------------------------------------------------------------------

SELECT results_eq($$SELECT organization_id, principal_id, api_key_id, default_project_id
                      FROM rule.caller_require(token('owner'))$$,
                  $$SELECT organization('acme'), p.id, k.id, project('main') FROM store.principal p
                      JOIN store.api_key k ON k.principal_id = p.id
                     WHERE p.name = 'owner'$$,
                           'rule.caller_require gives whom an API key belongs to');
SELECT is(raised(format('SELECT rule.caller_require(%L)', token)),
          format('SM401 401 {"message":"authentication is '
                 'denied","method":"api_key","reason":"%s","type":"denied_authentication"}',
                 reason),
          'rule.caller_require refuses ' || title || ' (SM401)')
  FROM (VALUES ('an unknown key', token('unknown'), 'not_found'),
               ('a revoked key', token('revoked'), 'not_found'),
               ('an expired key', token('expired'), 'expired'),
               ('a short digest', substr(token('owner'), 1, 31), 'invalid_argument'),
               ('a long digest', token('owner') || '\x00'::bytea, 'invalid_argument'),
               ('an empty digest', '', 'invalid_argument'),
               ('no digest', NULL, 'invalid_argument')) AS t(title, token, reason);
SELECT results_eq(format('SELECT principal_id FROM rule.caller_refused(token(%L))', name),
                  format('SELECT id FROM store.principal WHERE name = %L', name),
                      'rule.caller_refused gives whose key it is that is ' || name)
  FROM unnest('{expired,revoked}'::text[]) AS name;
SELECT is(rule.caller_refused(token), (NULL, NULL, NULL, NULL)::rule.caller,
          'and nobody for any other')
  FROM unnest(ARRAY[token('unknown'), '', NULL]) AS token;
UPDATE store.api_key SET expires_at = clock_timestamp() + interval '1 hour'
WHERE digest = token('expired');
SELECT is((call('secret_get', 'ready', caller => 'expired')).status, 200,
          'a key that expires later will do');

-- What: the table of the contract -----------------------------------------------------------------

CREATE TEMP TABLE permission (permission_set text, may text[]);
INSERT INTO permission VALUES
    ('AuditTrailReadOnly',         '{watch}'),     -- and audit, which is of an organization
    ('SecretManagerReadOnly',      '{read,watch}'),
    ('SecretManagerSecretAccess',  '{access}'),
    ('SecretManagerSecretCreate',  '{create}'),
    ('SecretManagerSecretWrite',   '{write}'),
    ('SecretManagerSecretDelete',  '{delete}'),
    ('SecretManagerSecretRestore', '{restore}'),
    ('SecretManagerFullAccess',    '{read,access,create,write,delete,restore,watch}'),
    ('KeyManagerReadOnly',         '{key read}'),
    ('KeyManagerKeyCreate',        '{key create}'),
    ('KeyManagerKeyWrite',         '{key write}'),
    ('KeyManagerKeyDelete',        '{key delete}'),
    ('KeyManagerKeyRestore',       '{key restore}'),
    ('KeyManagerKeyEncrypt',       '{key encrypt}'),
    ('KeyManagerKeyDecrypt',       '{key decrypt}'),
    ('KeyManagerFullAccess',
     '{key read,key create,key write,key delete,key restore,key encrypt,key decrypt}'),
    ('AllProductsReadOnly',        '{read,watch,key read}'),
    ('AllProductsFullAccess',      '{read,access,create,write,delete,restore,watch,
                                     key read,key create,key write,key delete,key restore,
                                     key encrypt,key decrypt}');

SELECT make_caller(permission_set, 'acme', ARRAY[permission_set], '{main}', 'main') FROM permission;

-- The endpoints that each action is for, and what is sent to them.
CREATE TEMP TABLE endpoint (name text, action text, body jsonb DEFAULT '{}',
                            query jsonb DEFAULT '{}',
                            data bytea, extra jsonb DEFAULT '{}');
INSERT INTO endpoint (name, action) VALUES
    ('secret_list', 'read'), ('secret_get', 'read'), ('secret_browse', 'read'),
        ('tag_list', 'read'),
       ('secret_type_list', 'read'),
    ('secret_version_list', 'read'), ('secret_version_get', 'read'),
    ('secret_version_access', 'access'), ('secret_version_access_by_path', 'access'),
    ('secret_create', 'create'), ('secret_version_create', 'create'),
    ('secret_update', 'write'), ('secret_protect', 'write'), ('secret_unprotect', 'write'),
       ('secret_add_owner', 'write'),
    ('secret_version_update', 'write'), ('secret_version_enable', 'write'),
       ('secret_version_disable', 'write'),
    ('secret_delete', 'delete'), ('secret_version_delete', 'delete'),
    ('secret_restore', 'restore'), ('secret_version_restore', 'restore'),
    ('key_list', 'key read'), ('key_get', 'key read'), ('key_create', 'key create'),
        ('key_update', 'key write'),
       ('key_rotate', 'key write'), ('key_protect', 'key write'), ('key_unprotect', 'key write'),
           ('key_enable', 'key write'),
       ('key_disable', 'key write'), ('key_delete', 'key delete'), ('key_restore', 'key restore'),
    ('key_encrypt', 'key encrypt'), ('key_generate_data_key', 'key encrypt'),
        ('key_decrypt', 'key decrypt'),
    ('change_list', 'watch');
UPDATE endpoint SET body = '{"name": "new"}' WHERE name = 'secret_create';
UPDATE endpoint SET body = '{"product": "s2s_vpn"}' WHERE name = 'secret_add_owner';
UPDATE endpoint SET body = '{"disable_previous": true}', data = 'x'
WHERE name = 'secret_version_create';
UPDATE endpoint SET body = '{"usage": {"symmetric_encryption": "aes_256_gcm"}}'
WHERE name = 'key_create';
UPDATE endpoint SET extra = at_key('live',
                                   cut('plaintext', 1) || cut('ciphertext', 34, '{"rotation": 1}'))
 WHERE starts_with(action, 'key ') AND name <> ALL ('{key_list,key_create}');
UPDATE endpoint SET query = jsonb_build_object('secret_name', 'ready', 'project_id',
                                               project('main'))
 WHERE name = 'secret_version_access_by_path';

SELECT set_eq($$SELECT name FROM endpoint$$,
              $$SELECT proname::text FROM pg_proc
                 WHERE pronamespace = 'endpoint'::regnamespace
                   AND proname <> ALL ('{audit_event_list,algorithm_list}')$$,
              'every endpoint is for one action, but for the one whose right is to an '
              'organization, and the one for all');

-- Who may not is told 403; who may gets another answer, whatever it is, which is taken back.
CREATE FUNCTION test.may_call(endpoint endpoint, caller text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_status integer;
BEGIN
    v_status := (call(endpoint.name, 'ready', '1', endpoint.body, endpoint.query, endpoint.data,
                      caller, endpoint.extra)).status;
    RAISE EXCEPTION USING MESSAGE = v_status <> 403, ERRCODE = 'ZZ000';
EXCEPTION
    WHEN SQLSTATE 'ZZ000' THEN
        RETURN SQLERRM;
END
$$;

SELECT is(may_call(e, permission_set), action = ANY (may),
          format('%s %s %s', permission_set,
                 CASE WHEN action = ANY (may) THEN 'allows' ELSE 'does not allow' END, name))
  FROM permission, endpoint e;

SELECT is(rule.caller_permission_sets_known(),
          ARRAY(SELECT permission_set FROM permission ORDER BY 1),
          'rule.caller_permission_sets_known gives all permission sets');

-- Where -------------------------------------------------------------------------------------------

SELECT make_caller('mixed', 'acme', '{SecretManagerReadOnly}', NULL, 'main');
SELECT operator.policy_create((rule.caller_require(token('mixed'))).principal_id, 'more',
                              '{SecretManagerSecretWrite,SecretManagerSecretAccess}',
                              ARRAY[project('other')]);
SELECT is(rule.caller_may(rule.caller_require(token('mixed')), action, project(name)), expected,
          format('policies add up: %s in %s', action, name))
  FROM (VALUES ('read', 'main', true), ('read', 'other', true), ('write', 'main', false),
               ('write', 'other', true), ('access', 'other', true),
               ('delete', 'other', false)) AS t(action, name, expected);
SELECT operator.policy_delete(id) FROM store.policy WHERE name = 'more';
SELECT is(rule.caller_may(rule.caller_require(token('mixed')), 'write', project('other')), false,
          'and what a deleted one gave is gone');

SELECT is(rule.caller_require_project(rule.caller_require(token('guest')), 'create', 'secret',
                                      project('other')),
          project('other'), 'rule.caller_require_project gives a project where the caller may');
SELECT is(raised(format('SELECT rule.caller_require_project(rule.caller_require(%L), %L, %L, %L)',
                        token(caller), 'create',
                        'secret', project)),
          'SM403 403 {"details":[{"action":"create","resource":"secret"}],"message":"insufficient '
          'permissions","type":"permissions_denied"}',
          'rule.caller_require_project refuses ' || title || ' (SM403)')
  FROM (VALUES ('a project where the caller may not', 'guest', project('main')),
               ('one of another organization', 'owner', project('foreign')),
               ('one that is not there', 'owner', gen_random_uuid()),
               ('none', 'owner', NULL)) AS t(title, caller, project);

SELECT finish();
ROLLBACK;
