-- GET /coffer/v1/regions/{region}/changes
BEGIN;
\ir ../setup.sql
\ir ../keys.sql
SELECT make_caller('watcher', 'acme', '{AuditTrailReadOnly}', '{main}', NULL);

-- What a test writes is of a transaction that has not ended, so it has to be told that it is
-- complete.
CREATE FUNCTION test.settle() RETURNS void LANGUAGE sql AS $$
    UPDATE audit.settled SET id = (SELECT max(e.id) FROM audit.event e)
$$;
CREATE FUNCTION test.changes(query jsonb DEFAULT '{}', caller text DEFAULT 'watcher')
RETURNS text[] LANGUAGE sql AS $$
    SELECT ARRAY(SELECT concat_ws(' ', c ->> 'method_name', n.name, c ->> 'revision')
                   FROM jsonb_array_elements((test.call('change_list', query => query,
                                                        caller => caller)).body -> 'changes')
                        WITH ORDINALITY AS t(c, place)
                   LEFT JOIN test.secret_name n ON n.id::text = c ->> 'secret_id'
                  ORDER BY t.place)
$$;
CREATE FUNCTION test.latest(caller text DEFAULT 'watcher') RETURNS text LANGUAGE sql AS $$
    SELECT (test.call('change_list', query => '{"after": "latest"}', caller => caller)).body
        ->> 'cursor'
$$;

-- Allowed ----------------------------------------------------------------------

SELECT is((call('change_list', caller => 'watcher')).text, '{"changes":[],"cursor":"1.0"}',
          'change_list gives nothing that is not complete');
SELECT is(audited(), 'change_list 200 by watcher', 'it is audited');
SELECT refuses('change_list', '400 invalid_arguments after constraint',
               'a cursor that is ahead of the end', query => '{"after": "1.999999999"}',
               caller => 'watcher');
SELECT settle();
SELECT is((changes())[1:4],
          '{"CreateSecret ready","CreateSecretVersion ready 1","CreateSecret protected",'
          '"CreateSecretVersion protected 1"}', 'change_list begins with the oldest change');
SELECT latest() AS cursor \gset
SELECT is(changes(jsonb_build_object('after', :'cursor')), '{}',
          'and has nothing after the latest');
SELECT given('secret_get', 'ready'),
       given('secret_update', 'ready', body => '{"description": "x"}'),
       given('secret_version_disable', 'ready', '1'), make_version('foreign', caller => 'stranger'),
       settle() \g /dev/null
SELECT is(changes(jsonb_build_object('after', :'cursor')),
          '{"UpdateSecret ready","DisableSecretVersion ready 1"}',
          'but for what changed since, no reads, and of the projects that the caller may watch');
SELECT is(changes(jsonb_build_object('after', :'cursor'), 'only read'),
          '{"UpdateSecret ready","DisableSecretVersion ready 1"}',
          'who may read the metadata may watch them');
SELECT is(changes(jsonb_build_object('after', :'cursor'), 'stranger'),
          '{"CreateSecretVersion foreign 2"}', 'another sees his own');
SELECT is((changes(jsonb_build_object('after', :'cursor', 'page_size', '1')))[1],
          'UpdateSecret ready', 'a page is as long as is asked for');
SELECT call('change_list', query => jsonb_build_object('after', :'cursor', 'page_size', '1'),
            caller => 'watcher') AS page \gset
SELECT is(changes(jsonb_build_object('after', (:'page'::test.answer).body ->> 'cursor')),
          '{"DisableSecretVersion ready 1"}', 'and its cursor leads to the next');
SELECT is((call('change_list', query => jsonb_build_object('after', :'cursor', 'page_size', '50'),
                caller => 'watcher')).body ->> 'cursor',
          latest(), 'that of the last page to the end');
CREATE FUNCTION test.walk(page_size integer) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    v_body   jsonb := '{"cursor": "1.0"}';
    v_cursors text[] := '{}';
BEGIN
    LOOP
        v_body := (test.call('change_list', caller => 'watcher',
                             query => jsonb_build_object('after', v_body ->> 'cursor',
                                                         'page_size', page_size::text))).body;
        v_cursors := v_cursors
            || ARRAY(SELECT c ->> 'cursor' FROM jsonb_array_elements(v_body -> 'changes') AS c);
        EXIT WHEN v_body -> 'changes' = '[]';
    END LOOP;
    RETURN v_cursors;
END
$$;
SELECT is(walk(n),
          ARRAY(SELECT '1.' || e.id FROM auditor.change e
                 WHERE e.project_id = project('main') AND e.secret_id IS NOT NULL ORDER BY e.id),
          'pages of ' || n || ' have all changes')
  FROM unnest('{1,2,3,7,100}'::integer[]) AS n;
SELECT is(changes('{"after": "1.0"}', 'guest'), '{}', 'a project without changes has none');

-- Managed keys
SELECT settle(), latest() AS cursor \gset
SELECT call_key('key_get', 'live'), call_key('key_list'),
       call_key('key_encrypt', 'live', extra => cut('plaintext', 1)),
       call_key('key_decrypt', 'live', extra => cut('ciphertext', 1, '{"rotation": 1}')),
       call_key('key_generate_data_key', 'live'),
       call_key('algorithm_list'), given_key('key_disable', 'live'), settle() \g /dev/null
SELECT is((call('change_list', query => jsonb_build_object('after', :'cursor'),
                caller => 'watcher')).body #- '{changes,0,cursor}' #- '{changes,0,request_id}'
              #- '{changes,0,recorded_at}' -> 'changes',
          jsonb_build_array(jsonb_build_object('method_name', 'DisableKey',
                                               'project_id', project('main'), 'secret_id', NULL,
                                               'revision', NULL,
                                               'key_id', secret('live'))),
          'change_list has what changes keys, and not what uses them');

-- A wait
SELECT latest() AS cursor \gset
SELECT is((SELECT (k.status, k.body, k.receipt)::text
             FROM api_call('change_list',
                        test.request(query => jsonb_build_object('after', :'cursor', 'wait', '20')),
                        'watcher') AS k),
          '(0,"{""need"": ""change"", ""wait"": 20}",)',
          'change_list asks to be called again if it may wait');
SELECT is((call('change_list', query => jsonb_build_object('after', :'cursor', 'wait', '0'),
                caller => 'watcher')).status, 200, 'and not if not');
SELECT given('secret_update', 'ready', body => '{"description": "y"}'), settle() \g /dev/null
SELECT is(changes(jsonb_build_object('after', :'cursor', 'wait', '20')), '{"UpdateSecret ready"}',
          'or if there is something');

-- A version that is read once is changed by it.
SELECT make_secret('once',
                   '{"ephemeral_policy": {"expires_once_accessed": true, "action": "delete"}}'),
       make_version('once'), settle(),
       latest() AS cursor \gset
SELECT given('secret_version_access', 'once', '1'), settle() \g /dev/null
SELECT is(changes(jsonb_build_object('after', :'cursor')), '{"ExpireSecretVersion once 1"}',
          'change_list shows that a version was used up');

-- A restore has taken back events, and their ids are given again.
SELECT latest() AS cursor \gset
UPDATE audit.event SET epoch = 2 WHERE method = 'secret_update';
INSERT INTO audit.epoch SELECT 2, now(), min(id), 'test' FROM audit.event
 WHERE method = 'secret_update';
SELECT is((changes(jsonb_build_object('after', :'cursor')))[1], 'UpdateSecret ready',
          'a cursor of an earlier epoch begins with the next');

-- Refused ----------------------------------------------------------------------

SELECT refuses('change_list', '400 invalid_arguments after format, wait constraint',
               'what is malformed', query => '{"after": "1", "wait": "61"}', caller => 'watcher');
SELECT refuses('change_list', '403 permissions_denied watch change', 'a caller without the right',
               caller => 'only access');
SELECT refuses('change_list', '403 permissions_denied watch change', 'a project without the right',
               caller => 'watcher', query => jsonb_build_object('project_id', project('other')));
SELECT refuses_without_key('change_list');

-- A project is deleted -----------------------------------------------------------

SELECT make_caller('watcher of both', 'acme', '{AuditTrailReadOnly}', '{main,other}', NULL),
       settle() \g /dev/null
SELECT latest('only read') AS cursor, project('main') AS main \gset
SELECT ARRAY(SELECT 'DeleteProject ' || s.name FROM store.secret s
              WHERE s.project_id = project('main')
             UNION ALL SELECT 'PurgeKey' FROM store.managed_key k
              WHERE k.project_id = project('main')
              ORDER BY 1) AS deleted \gset
SELECT operator.project_delete(project('main')), settle() \g /dev/null
SELECT is(ARRAY(SELECT c
                  FROM unnest(changes(jsonb_build_object('after', :'cursor'), 'only read')) AS c
                 ORDER BY c), :'deleted'::text[],
          'who may watch the organization hears that secrets and keys went with their project');
SELECT is(changes(jsonb_build_object('after', :'cursor'), 'watcher of both'), '{}',
          'but not who had the right to the project alone');
SELECT is(changes(jsonb_build_object('after', :'cursor'), 'stranger'), '{}',
          'and no other organization');
SELECT refuses('change_list', '403 permissions_denied watch change',
               'a caller that has no right any more', caller => 'watcher');
SELECT refuses('change_list', '403 permissions_denied watch change', 'a project that is gone',
               caller => 'only read', query => jsonb_build_object('project_id', :'main'));

SELECT finish();
ROLLBACK;
