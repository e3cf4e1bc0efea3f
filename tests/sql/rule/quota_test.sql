BEGIN;
\ir ../setup.sql

SELECT is(rule.quota_of(organization('acme'), resource), quota,
          format('the quota of %s is %s', resource, quota))
  FROM (VALUES ('secret', 250::bigint), ('secret_version', 20)) AS t(resource, quota);
SELECT operator.quota_set(organization('acme'), 'secret', 7);
SELECT is(rule.quota_of(organization('acme'), 'secret'), 7::bigint,
          'unless the operator has set another');
SELECT is(rule.quota_of(organization('acme'), 'secret_version'), 20::bigint, 'of one resource');
SELECT is(rule.quota_of(organization('rival'), 'secret'), 250::bigint, 'and one organization');

SELECT lives_ok($$SELECT rule.quota_require_room(organization('acme'), 'secret', 6)$$,
                'rule.quota_require_room allows what is below');
SELECT is(raised(format($$SELECT rule.quota_require_room(organization('acme'), 'secret', %s)$$,
                        current)),
          format('SM4Q3 403 '
                 '{"details":[{"current":%s,"quota":7,"resource":"secret"}],"message":"quota(s) '
                 'exceeded for this resource","type":"quotas_exceeded"}',
                 current),
          format('rule.quota_require_room refuses one more than %s (SM4Q3)', current))
  FROM unnest('{7,8}'::integer[]) AS current;

SELECT is(rule.quota_used(organization('acme')),
          (SELECT count(*) FROM store.secret s WHERE s.organization_id = organization('acme')),
          'rule.quota_used counts all secrets of an organization');
SELECT is(rule.quota_used(gen_random_uuid()), 0::bigint, 'and none where there are none');

SELECT finish();
ROLLBACK;
