BEGIN;
\ir ../setup.sql
SELECT organization('acme') AS acme \gset

SET SESSION AUTHORIZATION coffer_operator;
SELECT operator.quota_set(:'acme', 'secret', 7), operator.quota_set(:'acme', 'secret', 0),
       operator.quota_set(:'acme', 'secret_version', 1), operator.quota_set(:'acme', 'key', 2) \gset
RESET SESSION AUTHORIZATION;
SELECT is(rule.quota_of(:'acme', 'secret'), 0::bigint,
          'operator.quota_set sets a quota, the last time counts');
SELECT is((rule.quota_of(:'acme', 'secret_version'), rule.quota_of(:'acme', 'key')),
          (1::bigint, 2::bigint),
          'of one resource or the other');
SELECT results_eq($$SELECT method, database_role, organization_id FROM audit.event ORDER BY id DESC
                  LIMIT 1$$,
                  format($$VALUES ('operator.quota_set', 'coffer_operator', %L::uuid)$$, :'acme'),
                  'and is audited');
SELECT results_eq($$SELECT e.request FROM audit.event e WHERE e.method = 'operator.quota_set'
                  ORDER BY e.id$$,
                  $$VALUES ('{"resource": "secret", "quota": 7, "before": {"quota": 250}}'::jsonb),
                           ('{"resource": "secret", "quota": 0, "before": {"quota": 7}}'),
                           ('{"resource": "secret_version", "quota": 1, "before": {"quota": 20}}'),
                           ('{"resource": "key", "quota": 2, "before": {"quota": 250}}')$$,
                  'with what was set, and what it was before');
SELECT is(brief(call('secret_create', body => '{"name": "x"}')), '403 quotas_exceeded secret 5/0',
          'what is there stays, and there cannot be more');

SELECT is(raised(format('SELECT operator.quota_set(%L, %L, %L)', organization, resource, quota)),
          'SM900 ' || remedy || ' ', 'it refuses ' || title || ' (SM900)')
  FROM (VALUES ('an unknown resource', :'acme', 'project', 1,
                'pass one of these words as resource'),
               ('no resource', :'acme', NULL, 1, 'pass one of these words as resource'),
               ('no number', :'acme', 'secret', NULL, 'pass one of these words as resource'),
               ('a negative number', :'acme', 'secret', -1, 'pass one of these words as resource'),
               ('an organization that is not there', gen_random_uuid()::text, 'secret', 1,
                'operator.organization_create() makes one')) AS t(title, organization, resource,
                    quota, remedy);

SELECT finish();
ROLLBACK;
