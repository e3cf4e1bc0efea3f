BEGIN;
\ir ../setup.sql
\ir ../keys.sql
SELECT organization('acme') AS acme, project('main') AS main \gset

-- Making one ------------------------------------------------------------------------

SET SESSION AUTHORIZATION coffer_operator;
SELECT operator.project_create(:'acme', 'new') AS id \gset
SELECT operator.project_create(:'acme', 'given', '11111111-0000-0000-0000-000000000001')
       AS given \gset
RESET SESSION AUTHORIZATION;
SELECT results_eq(format('SELECT organization_id, name FROM store.project WHERE id = %L', :'id'),
                  format('VALUES (%L::uuid, %L)', :'acme', 'new'),
                  'operator.project_create makes a project in an organization');
SELECT is(:'given'::text, '11111111-0000-0000-0000-000000000001',
          'with an id of its own or a given one');
SELECT is(audited(), 'operator.project_create 200 by coffer_operator in given', 'and is audited');
SELECT is(detail('operator.project_create'), '{"name": "given"}', 'with what was given');
SELECT is(raised($$SELECT operator.project_create(gen_random_uuid(), 'lost')$$),
          'SM900 operator.organization_create() makes one ',
          'operator.project_create refuses an organization that is not there (SM900)');

-- Deleting one ----------------------------------------------------------------------

SELECT make_secret('elsewhere', caller => 'guest'), make_version('elsewhere', caller => 'guest'),
       make_key('there', caller => 'key guest'),
       make_secret('under', jsonb_build_object('key_id', secret('live'))), make_version('under'),
           given_key('key_rotate', 'live');
SELECT operator.policy_create((SELECT id FROM store.principal WHERE name = 'nobody'), 'p',
                              '{SecretManagerReadOnly}', ARRAY[:'main']::uuid[]) AS policy \gset
SELECT array_agg(id) AS keks FROM store.kek WHERE project_id = :'main' AND key_id IS NULL \gset
SELECT count(*) AS secrets FROM store.secret WHERE project_id = :'main' \gset
SELECT max(id) AS before FROM audit.event \gset
SET SESSION AUTHORIZATION coffer_operator;
SELECT operator.project_delete(:'main') AS deleted \gset
RESET SESSION AUTHORIZATION;
SELECT is(:deleted, :secrets, 'operator.project_delete gives the number of secrets');
SELECT is_empty(format($$SELECT FROM store.project WHERE id = %1$L
                         UNION ALL SELECT FROM store.secret WHERE project_id = %1$L
                         UNION ALL SELECT FROM store.kek WHERE project_id = %1$L
                         UNION ALL SELECT FROM store.managed_key WHERE project_id = %1$L
                         UNION ALL SELECT FROM store.policy_rule WHERE project_id = %1$L
                         UNION ALL SELECT FROM store.version v
                             WHERE NOT EXISTS (SELECT FROM store.secret s WHERE s.id = v.secret_id)
                         UNION ALL SELECT FROM store.dek d
                             WHERE NOT EXISTS (SELECT FROM store.secret s
                                               WHERE s.id = d.secret_id)$$,
                       :'main'),
                'which are gone with it, whatever their state, with their versions and keys, and '
                'so are managed keys');
SELECT results_eq(format($$SELECT method, count(*), count(secret_id),
                         bool_and(project_id = %L AND organization_id = %L)
                             FROM audit.event WHERE id > %s GROUP BY method ORDER BY method$$,
                                  :'main', :'acme', :'before'),
                  format($$VALUES ('operator.key_purge', 4::bigint, 4::bigint, true),
                                  ('operator.project_delete', %s::bigint, %s::bigint, true)$$,
                                      :secrets + 1, :secrets),
                  'with a row in the audit for each and one for the project');
SELECT is(e.request - 'before', jsonb_build_object('secrets', :secrets, 'keys', 4),
          'which says how many there were')
  FROM audit.event e WHERE e.id > :before AND e.method = 'operator.project_delete'
      AND e.secret_id IS NULL;
SELECT is((e.request -> 'before' ->> 'name', e.request -> 'before' -> 'kek_ids',
           e.request -> 'before' -> 'default_of' ? k.access_key,
           e.request -> 'before' -> 'rules'
               @> jsonb_build_array(jsonb_build_object('policy_id', :'policy', 'permission_set',
                                                       'SecretManagerReadOnly'))),
          ('main'::text, to_jsonb(:'keks'::uuid[]), true, true),
          'what the project was called, its keys, who lost rights and whose default it was')
  FROM audit.event e, store.api_key k
 WHERE e.id > :before AND e.method = 'operator.project_delete' AND e.secret_id IS NULL
   AND k.digest = token('owner');
SELECT is(e.request, '{"before": {"name": "ready", "path": "/"}}',
          'and what each secret was called')
  FROM audit.event e WHERE e.id > :before AND e.secret_id = secret('ready')::uuid;
SELECT is(e.request, '{"before": {"name": "live"}}', 'and each key')
  FROM audit.event e WHERE e.id > :before AND e.secret_id = secret('live')::uuid;
SELECT isnt((stored_key('there')).id, NULL, 'a key of another project stays');
SELECT is((call('secret_version_access', 'elsewhere', '1', caller => 'guest')).status, 200,
          'another project stays');
SELECT is(brief(call('secret_list', caller => 'owner',
                     query => jsonb_build_object('project_id', :'main'))),
          '403 permissions_denied read secret', 'the project is not there any more');
SELECT is(brief(call('secret_create', body => '{"name": "x"}')),
          '400 invalid_arguments project_id required',
          'nor is it the default of a key');
SELECT is(raised(format('SELECT operator.project_delete(%L)', :'main')),
          'SM900 it may have been deleted before ',
          'operator.project_delete refuses a project that is not there (SM900)');

-- A policy on a project goes with it, and does not become one on all of the organization.
SELECT operator.project_delete(project('other'));
SELECT is((call('secret_list', caller => 'guest')).status, 403,
          'who had rights in the deleted project has no more');

SELECT finish();
ROLLBACK;
