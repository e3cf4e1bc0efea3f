BEGIN;
\ir ../setup.sql
SELECT (rule.caller_require(token('nobody'))).principal_id AS nobody, project('main') AS main,
       project('other') AS other, project('foreign') AS foreign \gset

-- Making one ------------------------------------------------------------------------

SELECT is((call('secret_get', 'ready', caller => 'nobody')).status, 403,
          'a principal without a policy may do nothing');
SET SESSION AUTHORIZATION coffer_operator;
SELECT operator.policy_create(:'nobody', 'read',
                              '{SecretManagerReadOnly,SecretManagerSecretAccess,'
                              'SecretManagerReadOnly}',
                              ARRAY[:'main', :'other', :'main']::uuid[]) AS id \gset
RESET SESSION AUTHORIZATION;
SELECT results_eq(format($$SELECT permission_set, project_id FROM store.policy_rule
                            WHERE policy_id = %L ORDER BY permission_set, project_id$$, :'id'),
                  format('SELECT s, p FROM unnest(%L::text[]) AS s, unnest(%L::uuid[]) AS p ORDER '
                         'BY s, p',
                         '{SecretManagerReadOnly,SecretManagerSecretAccess}',
                         ARRAY[:'main', :'other']),
                  'operator.policy_create gives each permission set on each project, once');
SELECT is((call('secret_get', 'ready', caller => 'nobody')).status, 200,
          'which holds from then on');
SELECT results_eq($$SELECT method, database_role, principal_id FROM audit.event
                  WHERE method LIKE 'operator.%'
                     ORDER BY id DESC LIMIT 1$$,
                  format($$VALUES ('operator.policy_create', 'coffer_operator', %L::uuid)$$,
                         :'nobody'),
                  'and is audited');
SELECT is(detail('operator.policy_create'),
          jsonb_build_object('policy_id', :'id', 'name', 'read', 'project_ids',
                             ARRAY[:'main', :'other', :'main'],
                             'permission_sets',
                                 ARRAY['SecretManagerReadOnly', 'SecretManagerSecretAccess',
                                       'SecretManagerReadOnly']),
          'with what was given');
SELECT operator.policy_create(:'nobody', 'all', '{SecretManagerSecretWrite}') AS everywhere \gset
SELECT results_eq(format('SELECT permission_set, project_id FROM store.policy_rule WHERE policy_id '
                         '= %L',
                         :'everywhere'), $$VALUES ('SecretManagerSecretWrite', NULL::uuid)$$,
                  'operator.policy_create without projects gives it in all of the organization');

SELECT is(raised(format('SELECT operator.policy_create(%L, %L, %L, %L)', principal, 'p', sets,
                        projects)),
          'SM900 ' || remedy || ' ', 'operator.policy_create refuses ' || title || ' (SM900)')
  FROM (VALUES
    ('a principal that is not there', gen_random_uuid()::text, '{SecretManagerReadOnly}', NULL,
     'operator.principal_create() makes one'),
    ('an unknown permission set', :'nobody', '{SecretManagerReadOnly,Everything}', NULL,
     'one or more of ' || array_to_string(rule.caller_permission_sets_known(), ', ')),
    ('no permission set', :'nobody', '{}', NULL,
     'one or more of ' || array_to_string(rule.caller_permission_sets_known(), ', ')),
    ('null for permission sets', :'nobody', NULL, NULL,
     'one or more of ' || array_to_string(rule.caller_permission_sets_known(), ', ')),
    ('null among them', :'nobody', '{SecretManagerReadOnly,NULL}', NULL,
     'one or more of ' || array_to_string(rule.caller_permission_sets_known(), ', ')),
    ('a project of another organization', :'nobody', '{SecretManagerReadOnly}',
     ARRAY[:'main', :'foreign']::text, 'leave out project_ids for the whole organization'),
    ('a project that is not there', :'nobody', '{SecretManagerReadOnly}',
     ARRAY[gen_random_uuid()]::text,
     'leave out project_ids for the whole organization'),
    ('an empty list of projects, which is not all of them', :'nobody', '{SecretManagerReadOnly}',
     '{}',
     'leave out project_ids for the whole organization'),
    ('null among the projects, which is not all of them', :'nobody', '{SecretManagerReadOnly}',
     '{NULL}',
     'leave out project_ids for the whole organization')
  ) AS t(title, principal, sets, projects, remedy);

-- Deleting one ----------------------------------------------------------------------

SET SESSION AUTHORIZATION coffer_operator;
SELECT operator.policy_delete(:'id') AS deleted \gset
RESET SESSION AUTHORIZATION;
SELECT is_empty(format($$SELECT FROM store.policy WHERE id = %1$L
                         UNION ALL SELECT FROM store.policy_rule WHERE policy_id = %1$L$$, :'id'),
                'operator.policy_delete removes a policy');
SELECT is((SELECT method FROM audit.event ORDER BY id DESC LIMIT 1), 'operator.policy_delete',
          'and is audited');
SELECT is(detail('operator.policy_delete'),
          jsonb_build_object('policy_id', :'id', 'before',
                             jsonb_build_object('name', 'read', 'rules',
              (SELECT jsonb_agg(jsonb_build_object('permission_set', s, 'project_id', p) ORDER BY s,
                                p)
                 FROM unnest('{SecretManagerReadOnly,SecretManagerSecretAccess}'::text[]) AS s,
                      unnest(ARRAY[:'main', :'other']::uuid[]) AS p))), 'with what it gave');
SELECT is((SELECT principal_id FROM audit.event ORDER BY id DESC LIMIT 1), :'nobody',
          'and to whom');
SELECT is((call('secret_get', 'ready', caller => 'nobody')).status, 403,
          'what it allowed is refused from then on');
SELECT is((call('secret_protect', 'ready', caller => 'nobody')).status, 200,
          'what another allows is not');
SELECT is(raised(format('SELECT operator.policy_delete(%L)', :'id')),
          'SM900 it may have been deleted before ',
          'operator.policy_delete refuses a policy that is not there (SM900)');

SELECT finish();
ROLLBACK;
