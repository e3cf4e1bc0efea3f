-- Who may read what, or use which key: the explanation against the API functions, on random
-- policies.
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- Twelve principals of two organizations with a few random rules each; a secret with a version, and
-- a key, in each of six projects.
SELECT setseed(0.4711);
CREATE TABLE test.who (name text, organization text);
INSERT INTO test.who SELECT 'who ' || i, CASE WHEN i <= 8 THEN 'acme' ELSE 'rival' END
FROM generate_series(1, 12) AS i;
SELECT operator.project_create(organization(o), o || ' ' || i)
  FROM unnest('{acme,rival}'::text[]) AS o, generate_series(1, 3) AS i;
SELECT make_caller(name, organization, '{}', NULL, NULL) FROM test.who;
DO $$
DECLARE
    v_sets CONSTANT text[] := rule.caller_permission_sets_known();
BEGIN
    FOR i IN 1..36 LOOP
        PERFORM operator.policy_create(
                    p.id, 'policy ' || i,
                        ARRAY[v_sets[1 + floor(random() * cardinality(v_sets))::integer]],
                    CASE WHEN random() < 0.7 THEN ARRAY(SELECT r.id FROM store.project r
                                                         WHERE r.organization_id = p.organization_id
                                                         ORDER BY random()
                                                             LIMIT 1 + floor(random() * 2)::integer)
                                                                 END)
           FROM (SELECT * FROM store.principal p WHERE p.name LIKE 'who %' ORDER BY random()
                 LIMIT 1) AS p;
    END LOOP;
END
$$;
SELECT make_caller('acme all', 'acme', '{SecretManagerFullAccess,KeyManagerFullAccess}', NULL,
                   NULL),
       make_caller('rival all', 'rival', '{SecretManagerFullAccess,KeyManagerFullAccess}', NULL,
                   NULL);
SELECT make_secret(replace('s ' || p.name, ' ', '-'), jsonb_build_object('project_id', p.id),
                   split_part(p.name, ' ', 1) || ' all'),
       make_version(replace('s ' || p.name, ' ', '-'),
                    caller => split_part(p.name, ' ', 1) || ' all'),
       make_key(replace('k ' || p.name, ' ', '-'), jsonb_build_object('project_id', p.id),
                split_part(p.name, ' ', 1) || ' all')
  FROM store.project p WHERE p.name ~ ' [123]$';

-- All pairs: what the API function does, and what the auditor is told.
CREATE TABLE test.pair AS
SELECT w.name AS caller, n.name AS secret, n.id AS secret_id, p.id AS principal_id,
       (test.call('secret_version_access', n.name, '1', caller => w.name)).status AS status
  FROM test.who w JOIN store.principal p ON p.name = w.name, test.secret_name n
  WHERE n.name LIKE 's-%';
SELECT is((SELECT count(*) FROM test.pair), 72::bigint,
          'there are 72 pairs of a principal and a secret');
SELECT cmp_ok((SELECT count(*) FROM test.pair WHERE status = 200), '>', 5::bigint,
              'some of which can');
SELECT cmp_ok((SELECT count(*) FROM test.pair WHERE status = 403), '>', 5::bigint,
              'and some of which cannot');
GRANT USAGE ON SCHEMA test TO PUBLIC;
GRANT SELECT ON test.pair TO PUBLIC;
CREATE TABLE test.use AS
SELECT w.name AS caller, n.name AS key, n.id AS key_id, p.id AS principal_id, a.action,
       (test.call_key('key_' || a.action, n.name, caller => w.name,
                      extra => test.cut('plaintext', 5) || test.cut('ciphertext', 38,
                          '{"rotation": 1}'))).status AS status
  FROM test.who w JOIN store.principal p ON p.name = w.name, test.secret_name n,
       unnest('{encrypt,decrypt}'::text[]) AS a(action)
 WHERE n.name LIKE 'k-%';
SELECT results_eq('SELECT DISTINCT action, status FROM test.use ORDER BY 1, 2',
                  $$VALUES ('decrypt', 200), ('decrypt', 403), ('decrypt', 404), ('encrypt', 200),
                      ('encrypt', 403), ('encrypt', 404)$$,
                  'some can encrypt, some decrypt, with some keys, and some cannot');
SELECT cmp_ok((SELECT count(*) FROM test.use e JOIN test.use d USING (caller, key)
                WHERE e.action = 'encrypt' AND d.action = 'decrypt'
                  AND (e.status = 200) <> (d.status = 200)),
              '>', 0::bigint, 'some can do one of both');
GRANT SELECT ON test.use TO PUBLIC;
SET LOCAL ROLE coffer_auditor;
SELECT is_empty('SELECT p.caller, p.secret, p.status FROM test.pair p
                  WHERE (p.status = 200) <> EXISTS (SELECT FROM
                      auditor.secret_readers(p.secret_id) r
                                                     WHERE r.principal_id = p.principal_id)',
                'auditor.secret_readers names exactly those to whom the API gives the value');
SELECT is_empty('SELECT p.caller, p.secret, p.status FROM test.pair p
                  WHERE (p.status = 200) <> EXISTS (SELECT FROM
                      auditor.principal_secrets(p.principal_id) s
                                                     WHERE s.secret_id = p.secret_id)',
                'auditor.principal_secrets exactly those that the API gives');
SELECT is_empty('SELECT u.* FROM test.use u
                  WHERE (u.status = 200) <> EXISTS (SELECT FROM auditor.key_users(u.key_id) r
                                                     WHERE r.principal_id = u.principal_id AND
                                                         r.action = u.action)',
                'auditor.key_users names exactly those for whom the API uses the key');
SELECT is_empty('SELECT u.* FROM test.use u
                  WHERE (u.status = 200) <> EXISTS (SELECT FROM
                      auditor.principal_keys(u.principal_id) k
                                                     WHERE k.key_id = u.key_id AND k.action =
                                                         u.action)',
                'auditor.principal_keys exactly those that the API uses');
RESET ROLE;

SELECT operator.policy_create(id, 'of one project', '{SecretManagerSecretAccess}',
                              ARRAY[project('main')]),
       operator.policy_create(id, 'of all', '{AllProductsFullAccess,SecretManagerReadOnly}')
  FROM store.principal WHERE name = 'nobody';
SELECT results_eq($$SELECT policy, permission_set, organization_wide, api_keys
                  FROM auditor.secret_readers(test.secret('ready')::uuid)
                     WHERE principal = 'nobody'$$,
                  $$VALUES ('of all', 'AllProductsFullAccess', true, 1::bigint),
                           ('of one project', 'SecretManagerSecretAccess', false, 1)$$,
                  'auditor.secret_readers says through which policies, and with how many API keys');
SELECT operator.policy_create(id, 'to decrypt', '{KeyManagerKeyDecrypt}', ARRAY[project('main')])
  FROM store.principal WHERE name = 'nobody';
SELECT results_eq($$SELECT action, policy, permission_set, organization_wide, api_keys
                  FROM auditor.key_users(test.secret('live')::uuid)
                     WHERE principal = 'nobody'$$,
                  $$VALUES ('decrypt', 'of all', 'AllProductsFullAccess', true, 1::bigint),
                           ('decrypt', 'to decrypt', 'KeyManagerKeyDecrypt', false, 1),
                           ('encrypt', 'of all', 'AllProductsFullAccess', true, 1)$$,
                  'auditor.key_users says through which policies, and with how many API keys');

SELECT finish();
ROLLBACK;
