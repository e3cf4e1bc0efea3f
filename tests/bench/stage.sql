-- What the benchmark runs on: secrets with one version each in a project, and the calls that pgbench makes, as the daemon
-- would make them. It is done as the superuser, because no caller of the API has the key-encryption key in hand.

\set ON_ERROR_STOP on
CREATE SCHEMA IF NOT EXISTS bench;
CREATE TABLE IF NOT EXISTS bench.call (
    n       bigint PRIMARY KEY,
    request text   NOT NULL,
    token   bytea  NOT NULL,
    key     bytea  NOT NULL
);
CREATE TABLE IF NOT EXISTS bench.list (
    request text  NOT NULL,
    token   bytea NOT NULL
);
GRANT USAGE ON SCHEMA bench TO coffer_api;
GRANT SELECT ON bench.call, bench.list TO coffer_api;

BEGIN;
CREATE TEMPORARY TABLE made ON COMMIT DROP AS
SELECT n, gen_random_uuid() AS id, crypto.gen_random_bytes(64) AS dek, NULL::bytea AS key
  FROM generate_series(:first::bigint, :last::bigint) AS n;
UPDATE made SET key = crypto.hmac('coffer/ak'::bytea || '\x00' || uuid_send(:'project') || uuid_send(id), :'kek'::bytea, 'sha512');

INSERT INTO store.secret (id, organization_id, project_id, region, path, name, type, description, tags, protected,
                          created_at, updated_at, last_revision)
SELECT id, :'organization', :'project', 'fr-par', '/bench/' || n % 100, 'secret-' || n, 'opaque', '', '{bench}', false,
       clock_timestamp(), clock_timestamp(), 1
  FROM made;
INSERT INTO store.version (secret_id, revision, status, description, created_at, updated_at, sealed)
SELECT id, 1, 'enabled', '', clock_timestamp(), clock_timestamp(),
       rule.crypto_encrypt(dek, rule.crypto_aad('pay', :'project', id, 1, NULL), rule.payload_encode('hunter2', NULL))
  FROM made;
INSERT INTO store.dek (secret_id, revision, kek_id, wrapped)
SELECT id, 1, :'kek_id', rule.crypto_encrypt(key, rule.crypto_aad('dek', :'project', id, 1, :'kek_id'), dek)
  FROM made;
INSERT INTO bench.call (n, request, token, key)
SELECT n, json_build_object('id', gen_random_uuid(), 'instance', :'instance', 'region', 'fr-par',
                            'path', json_build_object('secret_id', id, 'revision', 'latest_enabled'),
                            'query', json_build_object(), 'body', json_build_object(), 'data', 'absent',
                            'key', json_build_object('secret_id', id, 'kek_id', :'kek_id'),
                            'ip', '127.0.0.1', 'user_agent', 'pgbench')::text,
       :'token'::bytea, key
  FROM made;
COMMIT;
VACUUM ANALYZE store.secret, store.version, store.dek, bench.call;
CHECKPOINT;
