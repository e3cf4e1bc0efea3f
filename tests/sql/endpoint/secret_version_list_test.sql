-- GET /secrets/{secret_id}/versions
BEGIN;
\ir ../setup.sql

-- The revisions that a query gives, and how many match: "4 3 2 1 of 4".
CREATE FUNCTION test.listed(query jsonb DEFAULT '{}',
                            secret text DEFAULT 'ready') RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', (SELECT string_agg(v ->> 'revision', ' ' ORDER BY place)
                             FROM jsonb_array_elements(body -> 'versions')
                           WITH ORDINALITY AS t(v, place)),
                     'of', body ->> 'total_count')
      FROM test.call('secret_version_list', secret, query => query)
$$;

-- Allowed ----------------------------------------------------------------------

SELECT make_version('ready'), given('secret_version_disable', 'ready', '2'), make_version('ready'),
       make_version('ready'),
       given('secret_version_delete', 'ready', '4');
SELECT status, text FROM call('secret_version_list', 'ready', query => '{"page_size": 2}',
                              caller => 'only read') \gset
SELECT is(:status, 200, 'secret_version_list answers 200');
SELECT is(audited(), 'secret_version_list 200 by only read on ready in main', 'it is audited');
SELECT is(:'text', format('{"versions":[%s,%s],"total_count":4}',
                          (call('secret_version_get', 'ready', '4')).text,
                          (call('secret_version_get', 'ready', '3')).text),
          'with the versions, as secret_version_get gives them');
SELECT is(test.listed(query), expected, 'secret_version_list ' || title)
  FROM (VALUES ('{}'::jsonb, '4 3 2 1 of 4', 'gives the newest first'),
               ('{"status": "enabled"}', '3 1 of 2', 'filters by status'),
               ('{"status": ["disabled", "scheduled_for_deletion"]}', '4 2 of 2',
                'by any of several'),
               ('{"status": "deleted"}', 'of 0', 'none of which is deleted'),
               ('{"status": "unknown_status"}', '4 3 2 1 of 4', 'unknown_status being no filter'),
               ('{"page_size": "3"}', '4 3 2 of 4', 'gives a page'),
               ('{"page_size": "3", "page": "2"}', '1 of 4', 'and the rest'),
               ('{"page_size": "3", "page": "3"}', 'of 4', 'and nothing after that'),
               ('{"status": "enabled", "page_size": "1", "page": "2"}', '1 of 2',
                'by page of what matches'),
               ('{"page_size": "0"}', '4 3 2 1 of 4', 'by default when page_size is 0'))
                   AS t(query, expected, title);
SELECT is(listed(secret => 'locked'), '1 of 1', 'secret_version_list takes a locked secret');
SELECT is(listed(secret => 'scheduled'), '1 of 1', 'and one that is scheduled for deletion');

SELECT expire('ready', 3, 'disable'), expire('ready', 1, 'delete');
SELECT is(listed('{"status": "disabled"}'), '3 2 of 2',
          'secret_version_list shows as disabled what has expired');
SELECT is(listed(), '4 3 2 of 3', 'and does not show what was to be deleted then');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_version_list',
               '400 invalid_arguments page constraint, page_size constraint, status format',
               'arguments that are wrong, all together', 'ready',
               query => '{"page": "0", "page_size": "101", "status": "x"}');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged('secret_version_list', 'read secret_version');

SELECT finish();
ROLLBACK;
