-- GET /tags
BEGIN;
\ir ../setup.sql

CREATE FUNCTION test.tags(query jsonb DEFAULT '{}', caller text DEFAULT 'guest',
                          extra jsonb DEFAULT '{}')
RETURNS text LANGUAGE sql AS $$
    SELECT text FROM test.call('tag_list', query => query, caller => caller, extra => extra)
$$;

-- Allowed ----------------------------------------------------------------------

SELECT make_secret('a', '{"tags": ["two", "one", "Ten", "two"]}', 'guest'),
       make_secret('b', '{"tags": ["two", "six"]}', 'guest'),
       make_secret('gone', '{"tags": ["gone"]}', 'guest'), given('secret_delete', 'gone'),
       make_secret('c', '{"tags": ["main"]}');
SELECT make_caller('reader', 'acme', '{SecretManagerReadOnly}', '{other}');

SELECT status, text FROM call('tag_list', caller => 'reader') \gset
SELECT is(:status, 200, 'tag_list answers 200');
SELECT is(audited(), 'tag_list 200 by reader', 'it is audited');
SELECT is(:'text'::text, '{"tags":["Ten","one","six","two"],"total_count":4}',
          'with the tags of live secrets, each once, in the order of the characters');
SELECT is(tags('{"page_size": "3", "page": "2"}'), '{"tags":["two"],"total_count":4}', 'by page');
SELECT is(tags('{"page": "2"}'), '{"tags":[],"total_count":4}', 'and nothing after the last');
SELECT is(tags(extra => '{"region": "nl-ams"}'), '{"tags":[],"total_count":0}', 'of the region');
SELECT is(tags(caller => 'owner'), '{"tags":["Ten","main","one","six","two"],"total_count":5}',
          'of all projects the caller may read');
SELECT is(tags(jsonb_build_object('project_id', project('main')), 'owner'),
          '{"tags":["main"],"total_count":1}', 'or the one asked for');

-- Refused ----------------------------------------------------------------------

SELECT refuses('tag_list',
               '400 invalid_arguments project_id format, page constraint, page_size constraint',
               'arguments that are wrong, all together',
               query => '{"project_id": "x", "page": "0", "page_size": "-1"}');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_without_key('tag_list');
SELECT refuses('tag_list', '403 permissions_denied read secret', title, query => query,
               caller => caller)
  FROM (VALUES ('a caller with all rights but the one', '{}'::jsonb, 'all but read'),
               ('a project where the caller has no rights',
                jsonb_build_object('project_id', project('main')),
                'guest'),
               ('a project of another organization',
                jsonb_build_object('project_id', project('foreign')),
                'owner')) AS t(title, query, caller);

SELECT finish();
ROLLBACK;
