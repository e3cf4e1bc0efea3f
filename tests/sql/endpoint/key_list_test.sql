-- GET /keys
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- The names that a query gives, and how many match: "a b c of 3".
CREATE FUNCTION test.listed(query jsonb DEFAULT '{}', caller text DEFAULT 'key guest',
                            extra jsonb DEFAULT '{}')
RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', (SELECT string_agg(k ->> 'name', ' ' ORDER BY place)
                             FROM jsonb_array_elements(body -> 'keys')
                           WITH ORDINALITY AS t(k, place)),
                     'of', body ->> 'total_count')
      FROM test.call('key_list', query => query, caller => caller, extra => extra)
$$;

-- Allowed ----------------------------------------------------------------------

SELECT make_key('b', '{"tags": ["x", "y"]}', 'key guest'),
       make_key('a', '{"tags": ["y"]}', 'key guest'),
       make_key('C', '{"tags": ["y", "z"]}', 'key guest'), make_key('d', caller => 'key guest'),
       make_key('gone', caller => 'key guest'), given_key('key_delete', 'gone');
UPDATE store.managed_key SET updated_at = clock_timestamp() WHERE name = 'a';
SELECT make_caller('reader', 'acme', '{KeyManagerReadOnly}', '{other}');

SELECT status, text
  FROM call('key_list', query => '{"page_size": "2", "page": "2"}', caller => 'reader') \gset
SELECT is(:status, 200, 'key_list answers 200');
SELECT is(audited(), 'key_list 200 by reader', 'it is audited');
SELECT is(:'text',
          format('{"keys":[%s,%s],"total_count":4}', (call_key('key_get', 'b')).text,
                 (call_key('key_get', 'd')).text),
          'with the keys, as key_get gives them');
SELECT listed(jsonb_build_object('project_id', project('other'))) AS listed \gset
SELECT is(audited(), 'key_list 200 by key guest in other', 'the project asked for is audited');
SELECT is(listed(query), expected, 'key_list ' || title)
  FROM (VALUES ('{}'::jsonb, 'C a b d of 4',
                'gives what is not scheduled for deletion by name, in the order of the characters'),
               ('{"name": "b"}', 'b of 1', 'filters by name'),
               ('{"name": "B"}', 'of 0', 'which is exact'),
               ('{"tags": "y"}', 'C a b of 3', 'filters by tag'),
               ('{"tags": ["y", "x"]}', 'b of 1', 'by all of several tags'),
               ('{"usage": "symmetric_encryption"}', 'C a b d of 4', 'filters by usage'),
               ('{"usage": "asymmetric_signing"}', 'of 0', 'of which there is one'),
               ('{"usage": "unknown_usage"}', 'C a b d of 4', 'unknown_usage being no filter'),
               ('{"usage": "key_encapsulation"}', 'of 0', 'of no usage of which there is no key'),
               ('{"usage": "x"}', 'of 0', 'nor of a word that is none'),
               ('{"protection_level": "software"}', 'C a b d of 4', 'filters by protection'),
               ('{"protection_level": "unknown_protection_level"}', 'C a b d of 4',
                'where any is no filter'),
               ('{"protection_level": "hsm"}', 'of 0', 'and none is by hardware'),
               ('{"scheduled_for_deletion": "true"}', 'gone of 1',
                'gives those that are scheduled for deletion'),
               ('{"scheduled_for_deletion": "False"}', 'C a b d of 4', 'or those that are not'),
               ('{"tags": "y", "name": "b", "usage": "symmetric_encryption"}', 'b of 1',
                'takes filters together'),
               ('{"tags": "x", "name": "a"}', 'of 0', 'all of which have to match'),
               ('{"name": "", "project_id": "", "unheard_of": "1"}', 'C a b d of 4',
                'takes an empty argument as none'),
               ('{"order_by": "name_desc"}', 'd b a C of 4', 'orders by name, descending'),
               ('{"order_by": "created_at_asc"}', 'b a C d of 4', 'by creation'),
               ('{"order_by": "created_at_desc"}', 'd C a b of 4', 'by creation, descending'),
               ('{"order_by": "updated_at_asc"}', 'b C d a of 4', 'by change'),
               ('{"order_by": "updated_at_desc"}', 'a d C b of 4', 'by change, descending'),
               ('{"page_size": "3"}', 'C a b of 4', 'gives a page'),
               ('{"page_size": "3", "page": "2"}', 'd of 4', 'and the rest'),
               ('{"page_size": "3", "page": "3"}', 'of 4', 'and nothing after that'),
               ('{"page_size": "0"}', 'C a b d of 4', 'takes a page_size of 0 as none'),
               ('{"tags": "y", "page_size": "1", "page": "2"}', 'a of 3',
                'pages through what matches')) AS t(query, expected, title);
SELECT is(listed(extra => '{"region": "nl-ams"}'), 'of 0', 'key_list gives what is in the region');
SELECT is(listed(jsonb_build_object('organization_id', organization('acme'))), 'C a b d of 4',
          'and in the organization asked for');
SELECT is(listed(jsonb_build_object('organization_id', organization('rival'))), 'of 0',
          'nothing of another one');
SELECT is(listed(caller => 'keeper'), 'C a b d disabled guarded live of 7',
          'and of all projects that the caller may read');
UPDATE store.managed_key SET name = 'same', created_at = long_ago(), updated_at = long_ago()
 WHERE project_id = project('other');
SELECT is(array_agg(k ->> 'id' ORDER BY place, n),
          (SELECT array_agg(k.id::text ORDER BY k.id) FROM store.managed_key k
            WHERE k.project_id = project('other') AND k.deletion_requested_at IS NULL),
          'what is alike comes by id, so that pages do not overlap: ' || order_by)
  FROM (SELECT unnest(choices) FROM rule.argument_form WHERE argument = 'order_by') AS f(order_by),
       generate_series(1, 4) AS place,
       LATERAL jsonb_array_elements((call('key_list', caller => 'key guest',
                                          query => jsonb_build_object(
           'page_size', '1', 'page', place::text, 'order_by', order_by))).body -> 'keys')
               WITH ORDINALITY AS t(k, n)
 GROUP BY order_by;

-- Refused ----------------------------------------------------------------------

SELECT refuses_key('key_list',
                   '400 invalid_arguments organization_id format, project_id format, order_by '
                   'format, page constraint, '
                   'page_size constraint, name format, scheduled_for_deletion format, '
                   'protection_level format', 'wrong arguments',
                   query => '{"organization_id": "x", "project_id": "x", "order_by": "x",
                              "page": "0", "page_size": "101", "name": "a b",
                              "scheduled_for_deletion": "x", "protection_level": "x"}');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_without_key('key_list');
SELECT refuses_key('key_list', '403 permissions_denied read key', title, caller => caller,
                   query => jsonb_strip_nulls(jsonb_build_object('project_id', project)))
  FROM (VALUES ('a caller with all rights but the one', 'all but key read', NULL::uuid),
               ('a caller with all rights to secrets', 'owner', NULL),
               ('a project where the caller has no rights', 'key guest', project('main')),
               ('a project of another organization', 'keeper', project('foreign')))
                   AS t(title, caller, project);

SELECT finish();
ROLLBACK;
