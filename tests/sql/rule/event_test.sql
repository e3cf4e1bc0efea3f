-- Events and changes, as the API gives them. Filters and pages as a whole are in endpoint/audit_event_list_test.sql.
BEGIN;
\ir ../setup.sql

-- Methods
SELECT is_empty($$SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'endpoint'::regnamespace
                     AND NOT EXISTS (SELECT FROM rule.method m WHERE m.method = p.proname)$$, 'rule.method has each endpoint');
SELECT is_empty($$SELECT m.method FROM rule.method m WHERE NOT EXISTS (
                      SELECT FROM pg_proc p WHERE p.proname = m.method AND p.pronamespace = 'endpoint'::regnamespace
                      UNION ALL SELECT FROM pg_proc p WHERE m.method LIKE p.pronamespace::regnamespace || '.%')$$, 'and nothing that there is not');
SELECT is((SELECT count(*) FROM rule.method), (SELECT count(DISTINCT (m.method, m.name)) FROM rule.method m), 'once');

-- Filters
CREATE FUNCTION test.filter(query jsonb) RETURNS rule.event_filter LANGUAGE sql AS $$
    SELECT rule.event_filter(jsonb_populate_record(NULL::rule.argument, query))
$$;
SELECT is((filter('{}')).methods, NULL, 'rule.event_filter asks for no method');
SELECT is((filter('{"method_name": "GetSecret"}')).methods, '{secret_get}', 'or for one');
SELECT is((filter('{"method_name": "GetSecret", "product_name": "audit-trail"}')).methods, '{}', 'of a product');
SELECT is((filter('{"service_name": "scaleway.audit_trail.v1alpha1.Api"}')).methods, '{audit_event_list}', 'or for all of a service');

SELECT is((filter(query)).nothing, nothing, 'rule.event_filter of ' || query::text || CASE WHEN nothing THEN ' finds nothing' ELSE '' END)
  FROM (VALUES ('{}'::jsonb, NULL::boolean), ('{"resource_type": "keym_key"}', false), ('{"resource_type": "x"}', true),
               ('{"resource_id": "x"}', true), ('{"resource_id": "AAAAAAAA-0000-0000-0000-000000000001"}', NULL),
               ('{"resource_type": "secm_secret", "resource_id": "x"}', true)) AS t(query, nothing);

SELECT receipt FROM call('secret_version_get', 'ready', '1') \gset
CREATE FUNCTION test.matches(receipt bigint, query jsonb) RETURNS boolean LANGUAGE sql AS $$
    SELECT rule.event_matches(e, test.filter(query)) FROM audit.event e WHERE e.id = receipt
$$;
SELECT is(matches(:receipt, query), true, 'rule.event_matches an event by ' || query::text)
  FROM (VALUES ('{}'::jsonb), ('{"method_name": "GetSecretVersion"}'), ('{"status_code": 200}'), ('{"source_ip": "192.0.2.1"}'),
               ('{"resource_type": "secret_manager_version"}'), (jsonb_build_object('project_id', project('main')))) AS t(query);
SELECT is(matches(:receipt, query), false, 'rule.event_matches no other by ' || query::text)
  FROM (VALUES ('{"method_name": "GetSecret"}'::jsonb), ('{"status_code": 404}'), ('{"source_ip": "192.0.2.2"}'),
               ('{"resource_type": "secret_manager_secret"}'), ('{"resource_type": "key_manager_key"}'),
               (jsonb_build_object('project_id', project('other'))), (jsonb_build_object('principal_id', project('other')))) AS t(query);
SELECT is(rule.event_matches(e, filter(jsonb_build_object('principal_id', e.principal_id))), false,
          'what was done to a principal is not what it did')
  FROM audit.event e WHERE e.method = 'operator.principal_create' LIMIT 1;

SELECT call('change_list') \g /dev/null
CREATE TEMP TABLE one AS SELECT DISTINCT ON (e.method) e AS event, rule.render_event(e)::jsonb AS shown FROM audit.event e;
SELECT is_empty($$SELECT asked.shown, name FROM one AS asked, one AS other, unnest('{method_name,product_name,service_name}'::text[]) AS name
                   WHERE rule.event_matches(other.event, filter(jsonb_build_object(name, asked.shown ->> name)))
                         IS DISTINCT FROM (other.shown ->> name = asked.shown ->> name)$$,
                'method, product and service that an event is shown with find it, and no event that is shown with another');
SELECT is_empty($$SELECT o.shown FROM one o WHERE rule.event_matches(o.event, filter(
                      '{"method_name": "operator.policy_create", "product_name": "secret-manager"}'))$$, 'all that is asked for counts');

-- Page tokens
SELECT is(rule.event_token(rule.event_token(at, id)), (at, id)::rule.event_token, 'rule.event_token reads what it wrote: ' || at)
  FROM (VALUES ('2026-11-23 12:34:56.789012+00'::timestamptz, 1::bigint), ('1999-01-01', 9223372036854775807)) AS t(at, id);

-- Shapes
SELECT is(rule.render_event_request(NULL), '{}', 'rule.render_event_request of nothing');
SELECT is(rule.render_event_request('{"reason": "x"}'), '{"reason": "x"}', 'of what an operator did');
SELECT is(rule.render_event_request('{"path": {"secret_id": "s"}}'), '{"secret_id": "s"}', 'of a path alone');
SELECT is(rule.render_event_request('{"path": {"secret_id": "s"}, "query": {"page": ["1"], "tags": ["a", "b"]}, "body": {"name": "n", "secret_id": "t"}}'),
          '{"secret_id": "s", "page": "1", "tags": ["a", "b"], "name": "n"}', 'and of all places, of which the path counts most');

SELECT is(rule.render_event_request('{"days": 7, "snapshot": {"name": "n"}}'), '{"days": 7}', 'without the snapshot');
SELECT is(rule.render_event_request('{"path": {"secret_id": "s"}, "snapshot": {"name": "n"}}'), '{"secret_id": "s"}', 'of a call, too');

SELECT is(rule.render_event_resources('secret_get', NULL, NULL, NULL)::text, '[]', 'rule.render_event_resources has none without a secret');
SELECT is(rule.render_event_resources(method, '11111111-0000-0000-0000-000000000001', revision,
                                      '{"name": "n", "path": "/p", "key_id": "k", "created_at": "c", "updated_at": "u"}')::text,
          format('[{"id":"11111111-0000-0000-0000-000000000001","type":"%s","created_at":"c","updated_at":"u","deleted_at":null,"name":"n","%s":%s}]',
                 type, type || '_info', info), 'or that of the snapshot: ' || type)
  FROM (VALUES ('secret_get', NULL, 'secret_manager_secret', '{"path":"/p","key_id":"k"}'),
               ('secret_version_get', 1, 'secret_manager_version', '{"revision":1}'),
               ('operator.key_purge', NULL, 'key_manager_key', '{}')) AS t(method, revision, type, info);
-- A row that was written before there were snapshots has none, and the secret that is there now is not asked.
SELECT is(rule.render_event_resources('secret_version_get', secret('ready')::uuid, revision, NULL)::jsonb,
          jsonb_build_array(jsonb_build_object('id', secret('ready'), 'type', type, 'created_at', NULL, 'updated_at', NULL,
                                               'deleted_at', NULL, 'name', NULL, type || '_info', info)), 'without one only the id of ' || type)
  FROM (VALUES (NULL, 'secret_manager_secret', '{"path": "", "key_id": null}'::jsonb),
               (1, 'secret_manager_version', '{"revision": 1}')) AS t(revision, type, info);

SELECT is(json_object_keys, expected, 'rule.render_event has the members of the contract in their order')
  FROM (SELECT array_agg(k) AS json_object_keys FROM audit.event e, json_object_keys(rule.render_event(e)) AS k WHERE e.id = :receipt) AS found,
       (VALUES ('{id,recorded_at,locality,principal,organization_id,project_id,source_ip,user_agent,product_name,service_name,method_name,'
                'request_id,request_body,status_code,resources}'::text[])) AS t(expected);
SELECT is(rule.render_event(e) ->> 'id', '00000000-0000-8000-8' || substr(lpad(to_hex(e.id), 16, '0'), 2, 3) || '-' || substr(lpad(to_hex(e.id), 16, '0'), 5),
          'its id holds the receipt') FROM audit.event e WHERE e.id = :receipt;
SELECT is(ARRAY[j ->> 'method_name', j ->> 'product_name', j ->> 'service_name', j ->> 'principal'],
          '{operator.project_create,coffer,coffer.v1.Operator,NULL}', 'what an operator did keeps its own name, and has no principal')
  FROM (SELECT rule.render_event(e) AS j FROM audit.event e WHERE e.method = 'operator.project_create' LIMIT 1) AS event;

SELECT is(rule.render_change('1.2', '2026-11-23 00:00:00+00', method, project('main'), NULL, 3, NULL) ->> 'method_name', name, 'rule.render_change names ' || method)
  FROM (VALUES ('secret_get', 'GetSecret'), ('operator.quota_set', 'operator.quota_set')) AS t(method, name);

SELECT finish();
ROLLBACK;
