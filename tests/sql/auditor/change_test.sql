-- auditor.changes: the feed, as who reads it in the database asks; that of the API is
-- endpoint/change_list_test.sql.
BEGIN;
\ir ../setup.sql

CREATE FUNCTION test.settle() RETURNS void LANGUAGE sql AS $$
    UPDATE audit.settled SET id = (SELECT max(e.id) FROM audit.event e)
$$;
GRANT USAGE ON SCHEMA test TO PUBLIC;
GRANT SELECT ON test.secret_name TO PUBLIC;
SELECT project('main') AS main, organization('acme') AS acme, max(id) AS newest
  FROM audit.event \gset

SET LOCAL ROLE coffer_auditor;
SELECT is_empty('SELECT * FROM auditor.changes()',
                'auditor.changes gives nothing that is not complete');
SELECT is(auditor.changes_end(), '1.0', 'and ends there');
RESET ROLE;
SELECT settle();
SELECT given('secret_get', 'ready'), call('secret_delete', 'locked') \g /dev/null
SET LOCAL ROLE coffer_auditor;
SELECT is(auditor.changes_end(), '1.' || :newest,
          'auditor.changes_end gives the cursor of what is complete');
SELECT is((SELECT array_agg(c.method) FROM auditor.changes(batch => 3) AS c),
          '{operator.organization_create,operator.project_create,operator.project_create}',
              'auditor.changes begins with the oldest');
SELECT is(ARRAY(SELECT c.cursor FROM auditor.changes((SELECT max(f.cursor)
                                                      FROM auditor.changes(batch => 1) AS f),
                                                           100000) AS c),
          (ARRAY(SELECT c.cursor FROM auditor.changes(batch => 100000) AS c))[2:],
              'and goes on after a cursor');
SELECT is_empty('SELECT * FROM auditor.changes(auditor.changes_end())', 'up to its end');
RESET ROLE;

SELECT settle(), :newest AS before \gset
SELECT given('secret_update', 'ready', body => '{"description": "x"}'),
       given('secret_protect', 'ready'), settle() \g /dev/null
SET LOCAL ROLE coffer_auditor;
SELECT results_eq(format('SELECT method, secret_id, project_id, revision, request #>> '
                         '''{body,description}'' FROM auditor.changes(''1.%s'')', :before),
                  format($$SELECT v.method, n.id, %L::uuid, NULL::integer, v.description
                         FROM (VALUES ('secret_update', 'x'), ('secret_protect', NULL))
                           AS v(method, description), test.secret_name n WHERE n.name = 'ready'$$,
                               :'main'),
                  'auditor.changes says what was changed, without reads and refusals');
SELECT is_empty(format('SELECT FROM auditor.changes(''1.%s'', project_ids => '
                       'ARRAY[gen_random_uuid()])', :before), 'of projects');
SELECT is((SELECT count(*) FROM auditor.changes('1.' || :before,
                                                project_ids => ARRAY[:'main'::uuid])), 2::bigint,
                                                    'that are asked for');
SELECT is_empty(format('SELECT FROM auditor.changes(''1.%s'', organization => gen_random_uuid())',
                       :before), 'of an organization');
SELECT is((SELECT count(*) FROM auditor.changes('1.' || :before, organization => :'acme')),
          2::bigint, 'that is asked for');
SELECT is_empty(format('SELECT FROM auditor.changes(''1.%s'', region => ''nl-ams'')', :before),
                'and of a region');
SELECT is_empty('SELECT FROM auditor.changes(project_ids => ARRAY[]::uuid[])',
                'of no project there is none');
SELECT is_empty('SELECT FROM auditor.changes(project_ids => ARRAY[' || quote_literal(:'main')
                || '::uuid]) WHERE secret_id IS NULL',
                'and with projects only changes of secrets');
SELECT is_empty('SELECT FROM auditor.changes(organization => ' || quote_literal(:'acme')
                || ') WHERE secret_id IS NULL',
                'as with an organization');

SELECT throws_ok(format('SELECT * FROM auditor.changes(%L)', cursor), 'SM900', 'this is no cursor',
                 'auditor.changes refuses the cursor ' || cursor || ' (SM900)')
  FROM unnest('{x,1,1.,.1,0.1,1.-1,1.1.1}'::text[]) AS cursor;
SELECT throws_ok(format('SELECT * FROM auditor.changes(%L)', cursor), 'SM900',
                 'the cursor is ahead of the last change',
                 'and one that is ahead of the end, ' || what || ' (SM900)')
  FROM (VALUES ('1.999999999', 'of events that were lost'), ('2.1', 'of an epoch that was lost'))
       AS t(cursor, what);
RESET ROLE;

-- A restore has taken back events, and their ids are given again.
SELECT auditor.changes_end() AS cursor \gset
INSERT INTO audit.epoch SELECT 2, now(), :before + 1, 'test';
UPDATE audit.event SET epoch = 2 WHERE id > :before;
SELECT is((SELECT array_agg(c.method) FROM auditor.changes(:'cursor') AS c),
          '{secret_update,secret_protect}',
          'a cursor of an earlier epoch begins with the next');
SELECT is(auditor.changes_end(), '2.' || (SELECT s.id FROM audit.settled s),
          'which is in the end of now');
SELECT is_empty('SELECT FROM auditor.changes(auditor.changes_end())',
                'after which there is nothing');

SELECT finish();
ROLLBACK;
