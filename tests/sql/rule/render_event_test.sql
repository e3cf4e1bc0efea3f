-- The shape of events.
BEGIN;
\ir ../setup.sql

SELECT receipt FROM call('secret_version_get', 'ready', '1') \gset
SELECT is(rule.render_event_request(NULL), '{}', 'rule.render_event_request of nothing');
SELECT is(rule.render_event_request('{"reason": "x"}'), '{"reason": "x"}',
          'of what an operator did');
SELECT is(rule.render_event_request('{"path": {"secret_id": "s"}}'), '{"secret_id": "s"}',
          'of a path alone');
SELECT is(rule.render_event_request('{"path": {"secret_id": "s"}, "query": {"page": ["1"], '
                                    '"tags": ["a", "b"]}, "body": {"name": "n", '
                                    '"secret_id": "t"}}'),
          '{"secret_id": "s", "page": "1", "tags": ["a", "b"], "name": "n"}',
          'and of all places, of which the path counts most');

SELECT is(rule.render_event_request('{"days": 7, "snapshot": {"name": "n"}}'), '{"days": 7}',
          'without the snapshot');
SELECT is(rule.render_event_request('{"path": {"secret_id": "s"}, "snapshot": {"name": "n"}}'),
          '{"secret_id": "s"}', 'of a call, too');

SELECT is(rule.render_event_resources('secret_get', NULL, NULL, NULL)::text, '[]',
          'rule.render_event_resources has none without a secret');
SELECT is(rule.render_event_resources(method, '11111111-0000-0000-0000-000000000001', revision,
                                      '{"name": "n", "path": "/p", "key_id": "k", '
                                      '"created_at": "c", "updated_at": "u"}')::text,
          format('[{"id":"11111111-0000-0000-0000-000000000001","type":"%s","created_at":"c",'
                 '"updated_at":"u","deleted_at":null,"name":"n","%s":%s}]',
                 type, type || '_info', info), 'or that of the snapshot: ' || type)
  FROM (VALUES ('secret_get', NULL, 'secret_manager_secret', '{"path":"/p","key_id":"k"}'),
               ('secret_version_get', 1, 'secret_manager_version', '{"revision":1}'),
               ('operator.key_purge', NULL, 'key_manager_key', '{}'))
                   AS t(method, revision, type, info);
-- A row that was written before there were snapshots has none, and the secret that is there now is
-- not asked.
SELECT is(rule.render_event_resources('secret_version_get', secret('ready')::uuid, revision,
                                      NULL)::jsonb,
          jsonb_build_array(jsonb_build_object('id', secret('ready'), 'type', type,
                                               'created_at', NULL, 'updated_at', NULL,
                                               'deleted_at', NULL, 'name', NULL,
                                               type || '_info', info)),
          'without one only the id of ' || type)
  FROM (VALUES (NULL, 'secret_manager_secret', '{"path": "", "key_id": null}'::jsonb),
               (1, 'secret_manager_version', '{"revision": 1}')) AS t(revision, type, info);

SELECT is(json_object_keys, expected,
          'rule.render_event has the members of the contract in their order')
  FROM (SELECT array_agg(k) AS json_object_keys
          FROM audit.event e, json_object_keys(rule.render_event(e)) AS k WHERE e.id = :receipt)
              AS found,
       (VALUES ('{id,recorded_at,locality,principal,organization_id,project_id,source_ip,'
                'user_agent,product_name,service_name,method_name,'
                'request_id,request_body,status_code,resources}'::text[])) AS t(expected);
SELECT is(rule.render_event(e) ->> 'id',
          '00000000-0000-8000-8' || substr(lpad(to_hex(e.id), 16, '0'), 2, 3) || '-'
              || substr(lpad(to_hex(e.id), 16, '0'), 5),
          'its id holds the receipt') FROM audit.event e WHERE e.id = :receipt;
SELECT is(ARRAY[j ->> 'method_name', j ->> 'product_name', j ->> 'service_name', j ->> 'principal'],
          '{operator.project_create,coffer,coffer.v1.Operator,NULL}',
          'what an operator did keeps its own name, and has no principal')
  FROM (SELECT rule.render_event(e) AS j FROM audit.event e
         WHERE e.method = 'operator.project_create' LIMIT 1) AS event;

SELECT finish();
ROLLBACK;
