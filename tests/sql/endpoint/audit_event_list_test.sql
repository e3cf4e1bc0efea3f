-- GET /audit-trail/v1alpha1/regions/{region}/events
BEGIN;
\ir ../setup.sql
\ir ../keys.sql
SELECT make_caller('auditor', 'acme', '{AuditTrailReadOnly}', NULL, NULL),
       make_caller('of one project', 'acme', '{AuditTrailReadOnly}', '{main}', NULL);
SELECT id AS auditor FROM store.principal WHERE name = 'auditor' \gset

CREATE FUNCTION test.events(query jsonb DEFAULT '{}', caller text DEFAULT 'auditor')
RETURNS test.answer LANGUAGE sql AS $$
    SELECT test.call('audit_event_list',
                     query => jsonb_build_object('organization_id', test.organization('acme'))
                         || query,
                     caller => caller)
$$;
CREATE FUNCTION test.methods(query jsonb DEFAULT '{}') RETURNS text[] LANGUAGE sql AS $$
    SELECT ARRAY(SELECT e ->> 'method_name'
                   FROM jsonb_array_elements((test.events(query)).body -> 'events') AS e)
$$;

-- Allowed ----------------------------------------------------------------------

SELECT call('secret_get', 'ready'), call('secret_version_get', 'ready', '1'),
       call('secret_update', 'ready', body => '{"description": "x"}',
            query => '{"page": "1", "tags": ["a", "b"]}') \g /dev/null
SELECT is((events()).status, 200, 'audit_event_list answers 200');
SELECT is(audited(), 'audit_event_list 200 by auditor', 'it is audited');
SELECT is((methods('{"order_by": "recorded_at_desc"}'))[1:4],
          '{ListEvents,UpdateSecret,GetSecretVersion,GetSecret}',
          'audit_event_list lists the newest first');
SELECT is((methods('{"order_by": "recorded_at_asc"}'))[1:2],
          '{operator.organization_create,operator.project_create}', 'or the oldest');
SELECT is((events('{"method_name": "UpdateSecret"}')).body #- '{events,0,id}'
              #- '{events,0,request_id}' #- '{events,0,recorded_at}'
              #- '{events,0,resources,0,created_at}' #- '{events,0,resources,0,updated_at}',
          jsonb_build_object('next_page_token', NULL,
                             'events', jsonb_build_array(jsonb_build_object(
              'locality', 'fr-par', 'principal', jsonb_build_object('id', p.id),
              'organization_id', organization('acme'),
              'project_id', project('main'), 'source_ip', '192.0.2.1', 'user_agent', 'test',
              'product_name', 'secret-manager',
              'service_name', 'scaleway.secret_manager.v1beta1.Api', 'method_name', 'UpdateSecret',
              'status_code', 200,
              'request_body',
              jsonb_build_object('secret_id', secret('ready'), 'description', 'x', 'page', '1',
                                 'tags', '["a", "b"]'::jsonb),
              'resources', jsonb_build_array(jsonb_build_object(
                  'id', secret('ready'), 'type', 'secret_manager_secret', 'deleted_at', NULL,
                  'name', 'ready',
                  'secret_manager_secret_info', '{"path": "/", "key_id": null}'::jsonb))))),
          'an event has the shape of the contract') FROM store.principal p WHERE p.name = 'owner';
SELECT is((events('{"method_name": "GetSecretVersion"}')).body
              #> '{events,0,resources,0,secret_manager_version_info}',
          '{"revision": 1}', 'and that of a version its revision');
SELECT is((events('{"page_size": 1}')).body #>> '{events,0,id}'
              ~ '^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$',
          true, 'its id is a UUID');

-- Filters
SELECT is((SELECT array_agg(DISTINCT m)
             FROM unnest(methods('{"resource_type": "secret_manager_version",
                                   "product_name": "secret-manager", "status": "200"}')) AS m),
          '{CreateSecretVersion,GetSecretVersion}',
          'audit_event_list filters by type, product and status');
SELECT is(methods(jsonb_build_object('resource_id', secret('locked'))),
          '{LockSecret,CreateSecretVersion,CreateSecret}', 'by resource');
SELECT is(methods(jsonb_build_object('resource_id', secret('locked'),
                                     'order_by', 'recorded_at_asc')),
          '{CreateSecret,CreateSecretVersion,LockSecret}', 'in either order');
SELECT is((methods(jsonb_build_object('principal_id', :'auditor')))[1], 'ListEvents',
          'by principal');
SELECT call_key('key_encrypt', 'live', extra => cut('plaintext', 1)) \g /dev/null
SELECT is((methods('{"service_name": "scaleway.key_manager.v1alpha1.Api"}'))[1:2],
          '{Encrypt,DeleteKey}', 'by service');
SELECT is(methods(jsonb_build_object('resource_type', 'key_manager_key',
                                     'resource_id', secret('live'))), '{Encrypt,CreateKey}',
          'by key');
SELECT is(methods(jsonb_build_object('resource_type', 'secret_manager_secret',
                                     'resource_id', secret('live'))), '{}', 'which is no secret');
SELECT is(((events('{"method_name": "Encrypt"}')).body #- '{events,0,resources,0,created_at}'
               #- '{events,0,resources,0,updated_at}'
              #> '{events,0}')
                  - '{id,recorded_at,principal,organization_id,project_id,request_id,source_ip,'
                    'user_agent,locality}'::text[],
          jsonb_build_object('product_name', 'key-manager',
                             'service_name', 'scaleway.key_manager.v1alpha1.Api',
                             'method_name', 'Encrypt',
                             'status_code', 200,
                             'request_body', jsonb_build_object('key_id', secret('live')),
                             'resources',
                             jsonb_build_array(jsonb_build_object('id', secret('live'),
                                                                  'type', 'key_manager_key',
                                 'deleted_at', NULL, 'name', 'live',
                                 'key_manager_key_info', '{}'::jsonb))),
          'an event of a key has its resource');
SELECT make_secret('under', jsonb_build_object('key_id', secret('live')));
SELECT is((events('{"method_name": "CreateSecret"}')).body
              #> '{events,0,resources,0,secret_manager_secret_info}',
          jsonb_build_object('path', '/', 'key_id', secret('live')),
          'and that of a secret the key that it is under');
SELECT is(methods(jsonb_build_object('resource_type', name, 'resource_id', resource)), expected,
          'by the older name ' || name)
  FROM (VALUES ('secm_secret', secret('locked'), '{LockSecret,CreateSecret}'::text[]),
               ('secm_secret_version', upper(secret('locked')), '{CreateSecretVersion}'),
               ('keym_key', secret('live'), '{Encrypt,CreateKey}')) AS t(name, resource, expected);
SELECT is((events(jsonb_build_object(name, value))).text, '{"events":[],"next_page_token":null}',
          format('by the %s %s, of which there are no events', name, value))
  FROM (VALUES ('resource_type', 'kube_cluster'), ('resource_type', 'iam_api_key'),
               ('resource_type', 'of_tomorrow'),
               ('resource_id', 'SCWXXXXXXXXXXXXXXXXX'), ('resource_id', '1')) AS t(name, value);
SELECT isnt(methods('{"resource_type": "unknown_type"}'), '{}', 'or by no type in particular');
SELECT is(methods('{"source_ip": "192.0.2.2"}'), '{}', 'by address');
SELECT is(methods(jsonb_build_object('project_id', project('other'))),
          '{operator.api_key_add,operator.api_key_add,operator.project_create}', 'by project');
SELECT is(methods('{"recorded_before": "2001-01-01T00:00:00Z", '
                  '"recorded_after": "2000-01-01T00:00:00Z"}'), '{}', 'by time');
-- In the first hour of a month these rows belong to the month before.
DO $$
DECLARE
    v_month CONSTANT date := date_trunc('month', now() AT TIME ZONE 'UTC' - interval '61 minutes');
BEGIN
    IF to_regclass('audit.' || rule.audit_partition(v_month)) IS NULL THEN
        EXECUTE format('CREATE TABLE audit.%I PARTITION OF audit.event '
                       'FOR VALUES FROM (%L) TO (%L)',
                       rule.audit_partition(v_month), rule.audit_month(v_month),
                       rule.audit_month((v_month + interval '1 month')::date));
    END IF;
END
$$;
UPDATE audit.event SET at = at - interval '61 minutes' WHERE method = 'secret_create';
SELECT is(methods('{"method_name": "CreateSecret"}'), '{}', 'by default of the last hour');

-- An event shows what was true when it happened, and nothing of another organization
CREATE FUNCTION test.resource(method text, caller text DEFAULT 'auditor', query jsonb DEFAULT '{}')
RETURNS jsonb LANGUAGE sql AS $$
    SELECT (test.events(query || jsonb_build_object('method_name', method), caller)).body
        #> '{events,0,resources,0}'
$$;
SELECT make_caller('rival auditor', 'rival', '{AuditTrailReadOnly}', NULL, NULL);
SELECT call(endpoint, 'foreign', revision)
  FROM (VALUES ('secret_get', NULL), ('secret_version_get', '1'), ('secret_version_disable', '2'),
               ('secret_version_access', 'latest')) AS t(endpoint, revision) \g /dev/null
SELECT call_key('key_get', 'alien', caller => 'owner') \g /dev/null
SELECT is(resource(method) - 'id',
          jsonb_build_object('type', type, 'created_at', NULL, 'updated_at', NULL,
                             'deleted_at', NULL, 'name', NULL, type || '_info', info),
          method || ' of another organization shows nothing but the id that was sent')
  FROM (VALUES ('GetSecret', 'secret_manager_secret', '{"path": "", "key_id": null}'::jsonb),
               ('GetSecretVersion', 'secret_manager_version', '{"revision": 1}'),
               ('DisableSecretVersion', 'secret_manager_version', '{"revision": 2}'),
               ('AccessSecretVersion', 'secret_manager_secret', '{"path": "", "key_id": null}'),
               ('GetKey', 'key_manager_key', '{}')) AS t(method, type, info);
SELECT is((events(jsonb_build_object('organization_id', organization('rival'),
                                     'resource_id', secret('foreign'), 'status', '404'),
                  'rival auditor')).body -> 'events', '[]',
          'nor do the owners of a secret see who of others has asked for it');

SELECT make_secret('then', '{"path": "/before"}');
SELECT make_version('then');
SELECT call('secret_version_access', 'then', '1'), call('secret_get', 'then'),
       call('secret_protect', 'then', caller => 'only read') \g /dev/null
SELECT resource('AccessSecretVersion') AS accessed, resource('GetSecret') AS got \gset
SELECT is(:'accessed'::jsonb - '{created_at,updated_at}'::text[],
          jsonb_build_object('id', secret('then'), 'type', 'secret_manager_version',
                             'deleted_at', NULL, 'name', 'then',
                             'secret_manager_version_info', '{"revision": 1}'::jsonb),
          'an event shows the version as it was');
SELECT is(ARRAY[:'accessed'::jsonb ->> 'created_at', :'accessed'::jsonb ->> 'updated_at'],
          ARRAY[rule.render_time(v.created_at), rule.render_time(v.updated_at)], 'with its times')
  FROM stored('then', 1) AS v;
SELECT is(resource('ProtectSecret') ->> 'name', 'then', 'as does that of a call that was refused');
SELECT call('secret_update', 'then', body => '{"name": "now", "path": "/after"}'),
       call('secret_version_disable', 'then', '1'),
       call('secret_version_delete', 'then', '1') \g /dev/null
SELECT is(resource('AccessSecretVersion'), :'accessed'::jsonb, 'whatever becomes of it later');
SELECT is(resource('GetSecret'), :'got'::jsonb, 'as one of a secret does');
SELECT is(resource('UpdateSecret') - '{created_at,updated_at}'::text[],
          jsonb_build_object('id', secret('then'), 'type', 'secret_manager_secret',
                             'deleted_at', NULL, 'name', 'now',
                             'secret_manager_secret_info',
                             '{"path": "/after", "key_id": null}'::jsonb),
          'a change shows what came of it');
SELECT is(resource('UpdateSecret') ->> 'updated_at', rule.render_time(s.updated_at), 'and its time')
  FROM stored('then') AS s;
SELECT is(resource('DisableSecretVersion') ->> 'updated_at', rule.render_time(v.updated_at),
          'of a version, too') FROM stored('then', 1) AS v;
SELECT is(resource('DeleteSecretVersion') ->> 'name', 'now', 'and its deletion');
SELECT call('secret_delete', 'then') \g /dev/null
SELECT is(resource('DeleteSecret') ->> 'updated_at', rule.render_time(s.updated_at),
          'or that of a secret') FROM stored('then') AS s;
SELECT operator.setting_set('purge_after', '0 days'), job.secret_purge() \g /dev/null
SELECT is(resource('PurgeSecret', query => jsonb_build_object('resource_id', secret('then')))
              ->> 'name', NULL, 'what is gone has no name');
SELECT is(resource('GetSecret'), :'got'::jsonb, 'but it had one before');
DELETE FROM store.setting;

-- What an operator did is among them, with what he gave and what it was before
SELECT operator.quota_set(organization('acme'), 'key', 7) \g /dev/null
SELECT is((events('{"method_name": "operator.quota_set"}')).body #> '{events,0,request_body}',
          '{"resource": "key", "quota": 7, "before": {"quota": 250}}',
          'request_body has what an operator gave and what it was before');

-- A page token is a place in time and nothing else: in the hands of others it shows them what is
-- theirs
SELECT (events('{"page_size": 1}')).body ->> 'next_page_token' AS token \gset
SELECT is((SELECT count(*)
             FROM jsonb_array_elements((events(jsonb_build_object('organization_id',
                                                                  organization('rival'),
                                                                  'page_token', :'token'),
                                               'rival auditor')).body -> 'events') AS e
            WHERE e ->> 'organization_id' <> organization('rival')::text), 0::bigint,
          'a page token of others shows nothing of theirs');
SELECT events(jsonb_build_object('project_id', project('foreign'))) \g /dev/null
SELECT is(audited(), 'audit_event_list 200 by auditor',
          'nor is a project of others that was asked for noted as that of the event');

-- Pages
CREATE FUNCTION test.walk(query jsonb) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    v_answer test.answer;
    v_ids    text[] := '{}';
    v_token  text;
BEGIN
    LOOP
        v_answer :=
            test.events(query
                            || jsonb_build_object('page_token', coalesce(v_token, ''),
                                                  'page_size', 7));
        v_ids := v_ids
            || ARRAY(SELECT e ->> 'id' FROM jsonb_array_elements(v_answer.body -> 'events') AS e);
        v_token := v_answer.body ->> 'next_page_token';
        EXIT WHEN v_token IS NULL;
    END LOOP;
    RETURN v_ids;
END
$$;
SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS now \gset
UPDATE audit.event SET at = :'now'::timestamptz - interval '1 minute' WHERE id % 3 = 0;     -- ties
SELECT walk(jsonb_build_object('recorded_before', :'now')) AS down,
       walk(jsonb_build_object('recorded_before', :'now', 'order_by', 'recorded_at_asc'))
           AS up \gset
SELECT is(cardinality(:'down'::text[]), (SELECT count(*)::integer FROM audit.event e
                                          WHERE e.organization_id = organization('acme')
                                            AND e.at < :'now'
                                            AND e.at >= :'now'::timestamptz - interval '1 hour'),
          'the pages have all events');
SELECT is((SELECT count(DISTINCT id) FROM unnest(:'down'::text[]) AS id),
          cardinality(:'down'::text[])::bigint, 'each once');
SELECT is(ARRAY(SELECT id FROM unnest(:'up'::text[]) WITH ORDINALITY AS t(id, place)
                 ORDER BY place DESC), :'down'::text[],
          'in either order');

-- Refused ----------------------------------------------------------------------

SELECT refuses('audit_event_list', '400 invalid_arguments organization_id required',
               'a call without an organization', caller => 'auditor');
SELECT refuses('audit_event_list',
               '400 invalid_arguments organization_id format, project_id format, '
                   'status format, recorded_after format, recorded_before format, order_by format, '
                   'page_token format, principal_id format, source_ip format', 'what is malformed',
               caller => 'auditor',
               query => '{"organization_id": "x", "project_id": "x", "status": "x",
                          "recorded_after": "x", "recorded_before": "x", "order_by": "name_asc",
                          "page_token": "x", "principal_id": "x", "source_ip": "192.0.2.0/24"}');
SELECT refuses('audit_event_list', '400 invalid_arguments page_token format',
               'the page token ' || token, caller => 'auditor',
               query => jsonb_build_object('organization_id', organization('acme'),
                                           'page_token', token))
  FROM unnest('{7fffffffffffffff0000000000000001,80000000000000000000000000000001,
                04000000000000000000000000000001,
                00000000000000008000000000000000}'::text[]) AS token;
SELECT refuses('audit_event_list', '403 permissions_denied read event', 'another organization',
               caller => 'auditor',
               query => jsonb_build_object('organization_id', organization('rival')));
SELECT refuses('audit_event_list', '403 permissions_denied audit event',
               'a caller without the right', caller => 'owner',
               query => jsonb_build_object('organization_id', organization('acme')));
SELECT refuses('audit_event_list', '403 permissions_denied audit event',
               'one with the right to a project', caller => 'of one project',
               query => jsonb_build_object('organization_id', organization('acme')));
SELECT refuses_without_key('audit_event_list');

SELECT finish();
ROLLBACK;
