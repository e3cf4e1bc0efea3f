-- Ten million events of the last ninety days, or as many as variable `events` says: mostly reads, of 2,000 secrets by 200
-- API keys of 20 principals, 2% refused, 1% changes. Their hashes are none: this is for plans, not for seals.
\if :{?events} \else \set events 10000000 \endif
\timing on
SET synchronous_commit = off;

SELECT job.audit_partition_create();
DO $$
DECLARE
    v_month date := date_trunc('month', now() AT TIME ZONE 'UTC' - interval '91 days');
BEGIN
    WHILE to_regclass('audit.' || rule.audit_partition(v_month)) IS NULL LOOP
        EXECUTE format('CREATE TABLE audit.%I PARTITION OF audit.event FOR VALUES FROM (%L) TO (%L)', rule.audit_partition(v_month),
                       rule.audit_month(v_month), rule.audit_month((v_month + interval '1 month')::date));
        v_month := v_month + interval '1 month';
    END LOOP;
END
$$;
SELECT operator.organization_create('plans') AS organization \gset
SELECT operator.project_create(:'organization', 'plans') AS project \gset
CREATE TEMP TABLE principal AS
SELECT i, operator.principal_create(:'organization', 'application', 'p' || i) AS id FROM generate_series(0, 19) AS i;
CREATE TEMP TABLE key AS
SELECT i, operator.api_key_add((SELECT p.id FROM principal p WHERE p.i = k.i % 20), 'SCW' || lpad(k.i::text, 17, '0'),
                               sha256(k.i::text::bytea)) AS id FROM generate_series(0, 199) AS k(i);
SELECT operator.policy_create(id, 'access', '{SecretManagerSecretAccess}') FROM principal \g /dev/null
INSERT INTO store.secret (id, organization_id, project_id, region, path, name, type, description, tags, protected, created_at, updated_at)
SELECT md5('s' || i)::uuid, :'organization', :'project', 'fr-par', '/', 's' || i, 'opaque', '', '{}', false, now(), now()
  FROM generate_series(0, 1999) AS i;
INSERT INTO store.version (secret_id, revision, status, description, created_at, updated_at, sealed)
SELECT md5('s' || i)::uuid, 1, 'enabled', '', now() - i * interval '1 hour', now(), '\x01' FROM generate_series(0, 1999) AS i;

INSERT INTO audit.event
SELECT n, n, 1, now() - interval '90 days' + (n - 1000000) * (interval '90 days' / :events), NULL, md5(n::text)::uuid, 'coffer_api',
       :'organization', p.id, k.id, '192.0.2.1'::inet + (n % 250), 'client/1.0',
       CASE WHEN n % 100 = 0 THEN 'secret_update' ELSE 'secret_version_access' END, 'fr-par', :'project',
       -- The last tenth of the secrets is not read.
       md5('s' || (n * 7919 % 1800))::uuid, 1, CASE WHEN n % 50 = 1 THEN 403 ELSE 200 END,
       CASE WHEN n % 50 = 1 THEN 'permissions_denied' END, '{"path": {}}', sha256(int8send(n))
  FROM generate_series(1000000::bigint, 1000000 + :events - 1) AS n
  JOIN key k ON k.i = n * 31 % 200
  JOIN principal p ON p.i = n * 31 % 20;
UPDATE audit.settled SET id = 1000000 + :events;
ANALYZE;
