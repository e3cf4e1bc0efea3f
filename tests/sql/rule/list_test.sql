-- Pages of secrets: that of all, which comes out of indexes, must be that which a look at each
-- secret gives.
BEGIN;
\ir ../setup.sql

SELECT make_secret('b', '{"path": "/x"}'), make_secret('b', '{"path": "/y"}'), make_secret('a'),
       make_secret('c', caller => 'guest'), make_secret('a', caller => 'guest');
UPDATE store.secret SET created_at = test.long_ago() WHERE name IN ('b', 'c');
UPDATE store.secret SET updated_at = test.long_ago() WHERE path = '/y';

CREATE FUNCTION test.page_argument(order_by text, page integer, page_size integer)
RETURNS rule.argument LANGUAGE sql AS $$
    SELECT rule.arguments(jsonb_build_object('query', jsonb_build_object(
               'order_by', jsonb_build_array(order_by), 'page', jsonb_build_array(page),
               'page_size', jsonb_build_array(page_size))),
               '{query.order_by, query.page, query.page_size}')
$$;

SELECT is(rule.list_all(projects, 'fr-par', page_argument(order_by, page, 3)),
          rule.list_matching(projects, 'fr-par', page_argument(order_by, page, 3)),
          format('page %s by %s of %s projects', page, order_by, cardinality(projects)))
  FROM unnest('{name_asc,name_desc,created_at_asc,created_at_desc,updated_at_asc,'
              'updated_at_desc}'::text[]) AS order_by,
       generate_series(1, 4) AS page,
       (VALUES ('{}'::uuid[]), (ARRAY[project('main')]), (ARRAY[project('main'), project('other')]))
           AS t(projects);
SELECT is((rule.list_all(ARRAY[project('main')], 'nl-ams', page_argument('name_asc', 1, 3))),
          ('{}', 0)::rule.page, 'another region has a list of its own');
SELECT is(rule.list_total(ARRAY[project('main'), project('other')], 'fr-par'),
          (SELECT count(*) FROM store.secret
            WHERE deletion_requested_at IS NULL AND organization_id = organization('acme')),
          'rule.list_total counts live secrets');

SELECT finish();
ROLLBACK;
