-- Lists of regions that are known and not served.
BEGIN;
\ir ../setup.sql

SELECT is((call(method, query => query, caller => 'nobody',
                extra => '{"region": "nl-ams", "unserved": true}')).text, expected,
          method || ' is empty there, for a caller without a right too')
  FROM (VALUES ('secret_list', '{"page": "2"}'::jsonb, '{"secrets":[],"total_count":0}'),
               ('secret_browse', '{}', '{"items":[],"total_count":0,"current_path":"/"}'),
               ('secret_browse', '{"prefix": "a//b/"}',
                '{"items":[],"total_count":0,"current_path":"/a/b"}'),
               ('tag_list', '{}', '{"tags":[],"total_count":0}'),
               ('secret_type_list', '{}', '{"types":[],"total_count":0}'),
               ('key_list', '{}', '{"keys":[],"total_count":0}'),
               ('algorithm_list', '{}', '{"algorithms":[]}'),
               ('audit_event_list', '{}', '{"events":[],"next_page_token":null}')) AS t(method,
                   query, expected);
SELECT is(audited(), 'audit_event_list 200 by nobody', 'it is audited');
SELECT refuses('secret_list', '401 denied_authentication not_found', 'a caller without an API key',
               caller => 'unknown',
               extra => '{"region": "nl-ams", "unserved": true}');
SELECT throws_ok($$SELECT rule.region_empty('secret_get', '{}')$$, '20000', NULL,
                 'nothing but a list is there');

SELECT finish();
ROLLBACK;
