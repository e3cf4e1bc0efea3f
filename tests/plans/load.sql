-- Ten million events of the last 150 days, or as many as variable `events` says, as life leaves them: 94% reads, of 20,000
-- secrets by 1,000 API keys of 200 principals in ten organizations, all of them skewed; a tenth of the secrets is never read,
-- but looked at; 2% are refused, 1% are changes, 1% uses of 100 managed keys; four calls share a transaction. Their hashes are
-- right, and seals can be made.
\if :{?events} \else \set events 10000000 \endif
\timing on
SET synchronous_commit = off;
SET plan_cache_mode = force_generic_plan;      -- as the role of daemons has it

SELECT job.audit_partition_create();
DO $$
DECLARE
    v_month date := date_trunc('month', now() AT TIME ZONE 'UTC' - interval '151 days');
BEGIN
    WHILE to_regclass('audit.' || rule.audit_partition(v_month)) IS NULL LOOP
        EXECUTE format('CREATE TABLE audit.%I PARTITION OF audit.event FOR VALUES FROM (%L) TO (%L)', rule.audit_partition(v_month),
                       rule.audit_month(v_month), rule.audit_month((v_month + interval '1 month')::date));
        v_month := v_month + interval '1 month';
    END LOOP;
END
$$;

CREATE SCHEMA load;
CREATE TABLE load.organization AS
SELECT i, operator.organization_create('o' || i) AS id FROM generate_series(0, 9) AS i;
CREATE TABLE load.project AS
SELECT o.i, o.id AS organization_id, operator.project_create(o.id, 'p') AS id FROM load.organization o;
CREATE TABLE load.principal AS
SELECT o.i + 10 * p AS i, operator.principal_create(o.id, 'application', 'p' || o.i + 10 * p) AS id
  FROM load.organization o, generate_series(0, 19) AS p;
CREATE TABLE load.key AS
SELECT k AS i, p.id AS principal_id,
       operator.api_key_add(p.id, 'SCW' || lpad(k::text, 17, '0'), sha256(k::text::bytea)) AS id
  FROM generate_series(0, 999) AS k JOIN load.principal p ON p.i = k % 200;
SELECT operator.policy_create(id, 'access', '{SecretManagerSecretAccess,KeyManagerKeyDecrypt}') FROM load.principal \g /dev/null
CREATE TABLE load.secret AS
SELECT s AS i, md5('s' || s)::uuid AS id, p.organization_id, p.id AS project_id
  FROM generate_series(0, 19999) AS s JOIN load.project p ON p.i = s % 10;
INSERT INTO store.secret (id, organization_id, project_id, region, path, name, type, description, tags, protected, created_at, updated_at)
SELECT id, organization_id, project_id, 'fr-par', '/', 's' || i, 'opaque', '', '{}', false,
       now() - (200 + i % 100) * interval '1 day', now() FROM load.secret;
INSERT INTO store.version (secret_id, revision, status, description, created_at, updated_at, sealed)
SELECT id, 1, 'enabled', '', now() - (i % 100) * interval '1 day', now(), '\x01' FROM load.secret;
CREATE TABLE load.managed_key AS
SELECT k AS i, md5('k' || k)::uuid AS id, p.organization_id, p.id AS project_id
  FROM generate_series(0, 99) AS k JOIN load.project p ON p.i = k % 10;
INSERT INTO store.managed_key (id, organization_id, project_id, region, name, tags, protected, created_at, updated_at, rotated_at)
SELECT id, organization_id, project_id, 'fr-par', 'k' || i, '{}', false, now(), now(), now() FROM load.managed_key;

-- The transactions that have written the events: they have to be over when these are sealed.
CREATE TABLE load.xid AS SELECT pg_current_xact_id()::text::bigint + 1 AS first;
CREATE PROCEDURE load.transactions(count bigint) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..count LOOP
        PERFORM pg_current_xact_id();
        COMMIT;
    END LOOP;
END
$$;
CALL load.transactions(:events / 4 + 1);

CREATE FUNCTION load.random(n bigint, seed bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
    SELECT (hashint8extended(n, seed) & 2147483647) / 2147483648.0
$$;
CREATE PROCEDURE load.events(events bigint) LANGUAGE plpgsql AS $$
DECLARE
    v_start CONSTANT timestamptz := now() - interval '150 days';
    v_step  CONSTANT interval := interval '150 days' / events;
    v_chunk CONSTANT bigint := least(events, 500000);
BEGIN
    FOR v_first IN 1..events BY v_chunk LOOP
        INSERT INTO audit.event
        SELECT (e).id, (e).xid, (e).epoch, (e).at, (e).instance, (e).request_id, (e).database_role, (e).organization_id,
               (e).principal_id, (e).api_key_id, (e).ip, (e).user_agent, (e).method, (e).region, (e).project_id, (e).secret_id,
               (e).revision, (e).status, (e).error, (e).request, rule.audit_hash(e)
          FROM (SELECT (nextval('audit.event_id'), x.first + n / 4, 1, v_start + n * v_step, md5('instance')::uuid, md5(n::text)::uuid,
                        'coffer_api', CASE WHEN w.what >= 5 THEN s.organization_id END, CASE WHEN w.what >= 5 THEN k.principal_id END,
                        CASE WHEN w.what >= 5 THEN k.id END, '192.0.2.1'::inet + (k.i % 250), 'client/1.0',
                        CASE WHEN w.what < 20 THEN 'secret_version_access' WHEN w.what < 30 THEN 'secret_update'
                             WHEN w.what < 50 THEN 'secret_get' WHEN w.what < 60 THEN 'key_decrypt'
                             ELSE 'secret_version_access' END,
                        'fr-par', CASE WHEN w.what >= 5 THEN s.project_id END,
                        CASE WHEN w.what < 5 THEN NULL WHEN w.what >= 50 AND w.what < 60 THEN m.id ELSE s.id END,
                        CASE WHEN w.what < 50 OR w.what >= 60 THEN 1 END,
                        CASE WHEN w.what < 5 THEN 401 WHEN w.what < 20 THEN 403 ELSE 200 END,
                        CASE WHEN w.what < 5 THEN 'denied_authentication' WHEN w.what < 20 THEN 'permissions_denied' END,
                        '{"path": {"revision": "latest", "secret_id": "01234567-89ab-cdef-0123-456789abcdef"}}', NULL)::audit.event AS e
                  FROM generate_series(v_first, least(v_first + v_chunk - 1, events)) AS n
                 CROSS JOIN load.xid x
                 CROSS JOIN LATERAL (SELECT load.random(n, 1) * 1000 AS what) AS w
                  JOIN load.secret s ON s.i = CASE WHEN w.what >= 30 AND w.what < 50
                                                   THEN 18000 + floor(2000 * load.random(n, 2) ^ 4)
                                                   ELSE floor(18000 * load.random(n, 2) ^ 4) END::integer
                  JOIN load.key k ON k.i = 10 * floor(100 * load.random(n, 3) ^ 2)::integer + s.i % 10
                  JOIN load.managed_key m ON m.i = 10 * floor(10 * load.random(n, 4) ^ 2)::integer + s.i % 10
                 ORDER BY n) AS e;
        COMMIT;
    END LOOP;
END
$$;
CALL load.events(:events);

-- The chain over the first nine tenths; the rest is as after an hour in which a transaction kept the seals waiting.
CREATE PROCEDURE load.seals(events bigint) LANGUAGE plpgsql AS $$
DECLARE
    v_end CONSTANT bigint := (SELECT x.first + events * 9 / 40 FROM load.xid x);
BEGIN
    WHILE (SELECT s.xid_to FROM audit.seal s ORDER BY s.no DESC LIMIT 1) < v_end LOOP
        PERFORM job.audit_seal(25);
        COMMIT;
    END LOOP;
END
$$;
CALL load.seals(:events);
VACUUM ANALYZE;
