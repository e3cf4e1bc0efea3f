-- Filters and page tokens. Lists as a whole are in endpoint/audit_event_list_test.sql.
BEGIN;
\ir ../setup.sql

-- Filters
CREATE FUNCTION test.filter(query jsonb) RETURNS rule.event_filter LANGUAGE sql AS $$
    SELECT rule.event_filter(jsonb_populate_record(NULL::rule.argument, query))
$$;
SELECT is((filter('{}')).methods, NULL, 'rule.event_filter asks for no method');
SELECT is((filter('{"method_name": "GetSecret"}')).methods, '{secret_get}', 'or for one');
SELECT is((filter('{"method_name": "GetSecret", "product_name": "audit-trail"}')).methods, '{}',
          'of a product');
SELECT is((filter('{"service_name": "scaleway.audit_trail.v1alpha1.Api"}')).methods,
          '{audit_event_list}', 'or for all of a service');

SELECT is((filter(query)).nothing, nothing,
          'rule.event_filter of ' || query::text
              || CASE WHEN nothing THEN ' finds nothing' ELSE '' END)
  FROM (VALUES ('{}'::jsonb, NULL::boolean), ('{"resource_type": "keym_key"}', false),
               ('{"resource_type": "x"}', true),
               ('{"resource_id": "x"}', true),
               ('{"resource_id": "AAAAAAAA-0000-0000-0000-000000000001"}', NULL),
               ('{"resource_type": "secm_secret", "resource_id": "x"}', true)) AS t(query, nothing);

SELECT receipt FROM call('secret_version_get', 'ready', '1') \gset
CREATE FUNCTION test.matches(receipt bigint, query jsonb) RETURNS boolean LANGUAGE sql AS $$
    SELECT rule.event_matches(e, test.filter(query)) FROM audit.event e WHERE e.id = receipt
$$;
SELECT is(matches(:receipt, query), true, 'rule.event_matches an event by ' || query::text)
  FROM (VALUES ('{}'::jsonb), ('{"method_name": "GetSecretVersion"}'), ('{"status_code": 200}'),
               ('{"source_ip": "192.0.2.1"}'),
               ('{"resource_type": "secret_manager_version"}'),
               (jsonb_build_object('project_id', project('main')))) AS t(query);
SELECT is(matches(:receipt, query), false, 'rule.event_matches no other by ' || query::text)
  FROM (VALUES ('{"method_name": "GetSecret"}'::jsonb), ('{"status_code": 404}'),
               ('{"source_ip": "192.0.2.2"}'),
               ('{"resource_type": "secret_manager_secret"}'),
               ('{"resource_type": "key_manager_key"}'),
               (jsonb_build_object('project_id', project('other'))),
               (jsonb_build_object('principal_id', project('other')))) AS t(query);
SELECT is(rule.event_matches(e, filter(jsonb_build_object('principal_id', e.principal_id))), false,
          'what was done to a principal is not what it did')
  FROM audit.event e WHERE e.method = 'operator.principal_create' LIMIT 1;

SELECT call('change_list') \g /dev/null
CREATE TEMP TABLE one AS SELECT DISTINCT ON (e.method) e AS event,
                                rule.render_event(e)::jsonb AS shown FROM audit.event e;
SELECT is_empty($$SELECT asked.shown, name
                    FROM one AS asked, one AS other,
                         unnest('{method_name,product_name,service_name}'::text[]) AS name
                   WHERE rule.event_matches(other.event,
                                            filter(jsonb_build_object(name, asked.shown ->> name)))
                         IS DISTINCT FROM (other.shown ->> name = asked.shown ->> name)$$,
                'method, product and service that an event is shown with find it, and no event '
                'that is shown with another');
SELECT is_empty($$SELECT o.shown FROM one o WHERE rule.event_matches(o.event, filter(
                      '{"method_name": "operator.policy_create", '
                      '"product_name": "secret-manager"}'))$$, 'all that is asked for counts');

-- Page tokens
SELECT is(rule.event_token(rule.event_token(at, id)), (at, id)::rule.event_token,
          'rule.event_token reads what it wrote: ' || at)
  FROM (VALUES ('2026-11-23 12:34:56.789012+00'::timestamptz, 1::bigint),
               ('1999-01-01', 9223372036854775807)) AS t(at, id);

SELECT finish();
ROLLBACK;
