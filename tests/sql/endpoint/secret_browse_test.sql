-- GET /secrets/browse
BEGIN;
\ir ../setup.sql

-- The items that a query gives, folders with a slash, how many there are, and where:
-- "a b/ of 2 in /".
CREATE FUNCTION test.browsed(query jsonb DEFAULT '{}', caller text DEFAULT 'guest',
                             extra jsonb DEFAULT '{}')
RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ',
                     (SELECT string_agg((i ->> 'name') ||
                                        CASE WHEN i ? 'folder' THEN '/' ELSE '' END, ' '
                                         ORDER BY place)
                             FROM jsonb_array_elements(body -> 'items')
                      WITH ORDINALITY AS t(i, place)),
                     'of', body ->> 'total_count', 'in', body ->> 'current_path')
      FROM test.call('secret_browse', query => query, caller => caller, extra => extra)
$$;

-- Allowed ----------------------------------------------------------------------

SELECT make_secret('m', caller => 'guest'),
       make_secret('x', '{"path": "/n", "tags": ["t", "u"]}', 'guest'),
       make_version('x', caller => 'guest'),
       make_secret('y', '{"path": "/n/o", "type": "ssh_key"}', 'guest'),
       make_secret('z', '{"path": "/n/o/p", "tags": ["t"]}', 'guest'),
       make_secret('n',
                   '{"protected": true, "ephemeral_policy": {"time_to_live": "60s", '
                   '"action": "delete"}}', 'guest'),
       make_secret('k', '{"path": "/nn"}', 'guest'),
       make_secret('gone', '{"path": "/empty"}', 'guest'), given('secret_delete', 'gone');
SELECT backdate('x'), backdate('n');
SELECT make_caller('reader', 'acme', '{SecretManagerReadOnly}', '{other}');

SELECT status, text FROM call('secret_browse',
                              query => '{"page_size": "2", "page": "1", '
                                       '"order_by": "created_at_asc"}',
                              caller => 'reader') \gset
SELECT is(:status, 200, 'secret_browse answers 200');
SELECT is(audited(), 'secret_browse 200 by reader', 'it is audited');
SELECT is(:'text', format('{"items":[{"name":"n","created_at":"2001-02-03T04:05:06.789000Z",'
                          '"updated_at":"2001-02-03T04:05:06.789000Z","secret":{"id":"%s",'
                          '"tags":[],"version_count":0,'
                          '"protected":true,"ephemeral_policy":{"time_to_live":"60s",'
                          '"expires_once_accessed":false,'
                          '"action":"delete"},"type":"opaque"}},'
                          '{"name":"n","created_at":"2001-02-03T04:05:06.789000Z",'
                          '"updated_at":"%s","folder":{}}],'
                          '"total_count":4,"current_path":"/"}', secret('n'),
                          rule.render_time((stored('z')).updated_at)),
          'with secrets and folders; a folder is as old as its first secret and as new as its '
          'last');

SELECT is(browsed(query), expected, 'secret_browse ' || title)
  FROM (VALUES ('{}'::jsonb, 'm n n/ nn/ of 4 in /',
                'gives live secrets in the root and the folders below it, sorted together'),
               ('{"prefix": "/n"}', 'o/ x of 2 in /n', 'or those of a path'),
               ('{"prefix": "n//o/"}', 'p/ y of 2 in /n/o', 'however that is written'),
               ('{"prefix": "/n/o/p"}', 'z of 1 in /n/o/p', 'to the last'),
               ('{"prefix": "/none"}', 'of 0 in /none', 'or nothing'),
               ('{"tags": "t"}', 'n/ of 1 in /',
                'filters by tag: a folder is there if a match lies below it'),
               ('{"prefix": "/n", "tags": ["u", "t"]}', 'x of 1 in /n', 'by all of several tags'),
               ('{"type": "ssh_key"}', 'n/ of 1 in /', 'filters by type'),
               ('{"prefix": "/n/o", "type": "opaque"}', 'p/ of 1 in /n/o',
                'also the secrets in the path'),
               ('{"type": "unknown_type"}', 'm n n/ nn/ of 4 in /', 'unknown_type being no filter'),
               ('{"order_by": "name_desc"}', 'nn/ n n/ m of 4 in /', 'orders by name, descending'),
               ('{"order_by": "created_at_asc"}', 'n n/ m nn/ of 4 in /', 'by creation'),
               ('{"order_by": "created_at_desc"}', 'nn/ m n n/ of 4 in /',
                'by creation, descending'),
               ('{"order_by": "updated_at_asc"}', 'n m n/ nn/ of 4 in /', 'by change'),
               ('{"order_by": "updated_at_desc"}', 'nn/ n/ m n of 4 in /', 'by change, descending'),
               ('{"page_size": "3"}', 'm n n/ of 4 in /', 'gives a page'),
               ('{"page_size": "3", "page": "2"}', 'nn/ of 4 in /', 'and the rest'),
               ('{"page_size": "3", "page": "3"}', 'of 4 in /', 'and nothing after that'))
                   AS t(query, expected, title);
SELECT is(browsed(extra => '{"region": "nl-ams"}'), 'of 0 in /',
          'secret_browse gives what is in the region');
SELECT is(browsed(caller => 'owner'), 'locked m managed n n/ nn/ protected ready of 8 in /',
          'in all projects the caller may read');
SELECT is(browsed(jsonb_build_object('project_id', project('main')), 'owner'),
          'locked managed protected ready of 4 in /', 'or the one asked for');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_browse',
               '400 invalid_arguments project_id format, order_by format, prefix format, page '
               'format, '
               'page_size format, tags constraint, type format',
               'arguments that are wrong, all together',
               query => '{"project_id": "x", "order_by": "x", "prefix": "a b", "page": "x",
                          "page_size": "x", "tags": ["a", ""], "type": "x"}');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_without_key('secret_browse');
SELECT refuses('secret_browse', '403 permissions_denied read secret', title, query => query,
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
