-- GET /secret-types
BEGIN;
\ir ../setup.sql

CREATE FUNCTION test.types(query jsonb DEFAULT '{}', caller text DEFAULT 'guest',
                           extra jsonb DEFAULT '{}')
RETURNS text LANGUAGE sql AS $$
    SELECT text FROM test.call('secret_type_list', query => query, caller => caller, extra => extra)
$$;

-- Allowed ----------------------------------------------------------------------

SELECT make_secret('a', '{"type": "ssh_key"}', 'guest'),
       make_secret('b', '{"type": "key_value"}', 'guest'),
       make_secret('c', '{"type": "ssh_key"}', 'guest'),
       make_secret('gone', '{"type": "certificate"}', 'guest'), given('secret_delete', 'gone');
SELECT make_caller('reader', 'acme', '{SecretManagerReadOnly}', '{other}');

SELECT status, text FROM call('secret_type_list', caller => 'reader') \gset
SELECT is(:status, 200, 'secret_type_list answers 200');
SELECT is(audited(), 'secret_type_list 200 by reader', 'it is audited');
SELECT is(:'text'::text, '{"types":["key_value","ssh_key"],"total_count":2}',
          'with the types of live secrets, each once, in order');
SELECT is(types('{"page_size": "1", "page": "2"}'), '{"types":["ssh_key"],"total_count":2}',
          'by page');
SELECT is(types('{"page": "2"}'), '{"types":[],"total_count":2}', 'and nothing after the last');
SELECT is(types(extra => '{"region": "nl-ams"}'), '{"types":[],"total_count":0}', 'of the region');
SELECT is(types(caller => 'owner'), '{"types":["key_value","opaque","ssh_key"],"total_count":3}',
          'of all projects the caller may read');
SELECT is(types(jsonb_build_object('project_id', project('main')), 'owner'),
          '{"types":["opaque"],"total_count":1}', 'or the one asked for');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_type_list',
               '400 invalid_arguments project_id format, page constraint, page_size constraint',
               'arguments that are wrong, all together',
               query => '{"project_id": "x", "page": "0", "page_size": "-1"}');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_without_key('secret_type_list');
SELECT refuses('secret_type_list', '403 permissions_denied read secret', title, query => query,
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
