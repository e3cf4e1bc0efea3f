-- GET /secrets
BEGIN;
\ir ../setup.sql

-- The names that a query gives, and how many match: "a b c of 3".
CREATE FUNCTION test.listed(query jsonb DEFAULT '{}', caller text DEFAULT 'guest',
                            extra jsonb DEFAULT '{}')
RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', (SELECT string_agg(s ->> 'name', ' ' ORDER BY place)
                             FROM jsonb_array_elements(body -> 'secrets')
                           WITH ORDINALITY AS t(s, place)),
                     'of', body ->> 'total_count')
      FROM test.call('secret_list', query => query, caller => caller, extra => extra)
$$;

-- Allowed ----------------------------------------------------------------------

SELECT make_secret('b', '{"tags": ["x", "y"], "path": "/p"}', 'guest'),
       make_version('b', caller => 'guest'),
       make_secret('a', '{"tags": ["y"], "type": "key_value"}', 'guest'),
       make_secret('C', '{"tags": ["y", "z"], "path": "/p/q"}', 'guest'),
       make_secret('d', '{"ephemeral_policy": {"time_to_live": "60s", "action": "delete"}}',
                   'guest'),
       make_secret('gone', caller => 'guest'), given('secret_delete', 'gone');
UPDATE store.secret SET updated_at = clock_timestamp() WHERE name = 'a';
SELECT make_caller('reader', 'acme', '{SecretManagerReadOnly}', '{other}');

SELECT status, text FROM call('secret_list', query => '{"page_size": "2", "page": "2"}',
                              caller => 'reader') \gset
SELECT is(:status, 200, 'secret_list answers 200');
SELECT is(audited(), 'secret_list 200 by reader', 'it is audited');
SELECT is(:'text', format('{"secrets":[%s,%s],"total_count":4}', (call('secret_get', 'b')).text,
                          (call('secret_get', 'd')).text),
          'with the secrets, as secret_get gives them');
SELECT listed(jsonb_build_object('project_id', project('other'))) AS listed \gset
SELECT is(audited(), 'secret_list 200 by guest in other', 'the project asked for is audited');

SELECT is(listed(query), expected, 'secret_list ' || title)
  FROM (VALUES ('{}'::jsonb, 'C a b d of 4',
                'gives live secrets by name, in the order of the characters'),
               ('{"name": "b"}', 'b of 1', 'filters by name'),
               ('{"name": "B"}', 'of 0', 'which is exact'),
               ('{"path": "/p"}', 'b of 1', 'filters by path, exactly'),
               ('{"path": "p//q/"}', 'C of 1', 'however that is written'),
               ('{"path": "/"}', 'a d of 2', 'the root too'),
               ('{"tags": "y"}', 'C a b of 3', 'filters by tag'),
               ('{"tags": ["y", "x"]}', 'b of 1', 'by all of several tags'),
               ('{"type": "key_value"}', 'a of 1', 'filters by type'),
               ('{"type": "unknown_type"}', 'C a b d of 4', 'unknown_type being no filter'),
               ('{"ephemeral": "True"}', 'd of 1', 'filters by policy'),
               ('{"ephemeral": "false"}', 'C a b of 3', 'or the lack of it'),
               ('{"scheduled_for_deletion": "true"}', 'gone of 1',
                'gives those that are scheduled for deletion'),
               ('{"scheduled_for_deletion": "False"}', 'C a b d of 4', 'or those that are not'),
               ('{"tags": "y", "path": "/p", "type": "opaque", "name": "b"}', 'b of 1',
                'takes filters together'),
               ('{"tags": "y", "type": "ssh_key"}', 'of 0', 'all of which have to match'),
               ('{"name": "", "path": "", "project_id": ""}', 'C a b d of 4',
                'takes an empty argument as none'),
               ('{"unheard_of": "1"}', 'C a b d of 4', 'ignores what it does not know'),
               ('{"order_by": "name_desc"}', 'd b a C of 4', 'orders by name, descending'),
               ('{"order_by": "created_at_asc"}', 'b a C d of 4', 'by creation'),
               ('{"order_by": "created_at_desc"}', 'd C a b of 4', 'by creation, descending'),
               ('{"order_by": "updated_at_asc"}', 'b C d a of 4', 'by change'),
               ('{"order_by": "updated_at_desc"}', 'a d C b of 4', 'by change, descending'),
               ('{"page_size": "3"}', 'C a b of 4', 'gives a page'),
               ('{"page_size": "3", "page": "2"}', 'd of 4', 'and the rest'),
               ('{"page_size": "3", "page": "3"}', 'of 4', 'and nothing after that'),
               ('{"page": "999999999", "page_size": "100"}', 'of 4', 'or long after that'),
               ('{"page_size": "0"}', 'C a b d of 4', 'takes a page_size of 0 as none'),
               ('{"tags": "y", "page_size": "1", "page": "2"}', 'a of 3',
                'pages through what matches')) AS t(query, expected, title);
SELECT is(listed(extra => '{"region": "nl-ams"}'), 'of 0',
          'secret_list gives what is in the region');
SELECT is(listed(jsonb_build_object('organization_id', organization('acme'))), 'C a b d of 4',
          'and in the organization asked for');
SELECT is(listed(jsonb_build_object('organization_id', organization('rival'))), 'of 0',
          'which can only be the caller''s own');
SELECT is(listed(jsonb_build_object('organization_id', organization('rival'), 'project_id',
                                    project('other'))), 'of 0',
          'organization and project have to match both');
SELECT is(listed(caller => 'owner'), 'C a b d locked managed protected ready of 8',
          'secret_list covers all projects the caller may read');
SELECT is(listed(jsonb_build_object('project_id', project('main')), 'owner'),
          'locked managed protected ready of 4', 'or the one asked for');
SELECT is(listed(caller => 'stranger'), 'foreign of 1', 'another organization sees its own');

UPDATE store.secret SET created_at = long_ago() WHERE project_id = project('other');
SELECT is((SELECT array_agg((call('secret_list',
                                  query => jsonb_build_object('order_by', order_by, 'page_size', 1,
                                                              'page', page),
                                  caller => 'guest')).body #>> '{secrets,0,id}' ORDER BY page)
             FROM generate_series(1, 4) AS page),
          (SELECT array_agg(id::text ORDER BY id) FROM store.secret
            WHERE project_id = project('other')
              AND deletion_requested_at IS NULL),
          order_by || ': secrets of one time are in the order of their ids, so that pages never '
                      'overlap')
  FROM unnest('{created_at_asc,created_at_desc}'::text[]) AS order_by;

SELECT make_secret('s' || i, '{"path": "/many"}', 'guest') FROM generate_series(1, 51) AS i;
SELECT is(jsonb_array_length((call('secret_list', caller => 'guest')).body -> 'secrets'), 50,
          'a page has 50 if nothing is said');
SELECT is(jsonb_array_length((call('secret_list', query => '{"page_size": "100"}',
                                   caller => 'guest')).body -> 'secrets'), 55, 'and up to 100');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_list',
               '400 invalid_arguments organization_id format, project_id format, order_by format, '
               'page constraint, '
               'page_size constraint, tags constraint, name format, path format, ephemeral format, '
               'type format, '
               'scheduled_for_deletion format', 'arguments that are wrong, all together',
               query => '{"organization_id": "x", "project_id": "x", "order_by": "size",
                          "page": "0", "page_size": "101", "tags": ["a", ""], "name": "a b",
                          "path": "a b", "ephemeral": "x", "type": "x",
                          "scheduled_for_deletion": "x"}');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_without_key('secret_list');
SELECT refuses('secret_list', '403 permissions_denied read secret', title, query => query,
               caller => caller)
  FROM (VALUES ('a caller who may read nothing', '{}'::jsonb, 'nobody'),
               ('a caller with all rights but the one', '{}', 'all but read'),
               ('a caller who may only access', '{}', 'only access'),
               ('a project where the caller has no rights',
                jsonb_build_object('project_id', project('main')),
                'guest'),
               ('a project of another organization',
                jsonb_build_object('project_id', project('foreign')),
                'owner'),
               ('a project that is not there', jsonb_build_object('project_id', gen_random_uuid()),
                'owner')) AS t(title, query, caller);

SELECT finish();
ROLLBACK;
