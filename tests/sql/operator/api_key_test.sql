BEGIN;
\ir ../setup.sql
SELECT (rule.caller_require(token('owner'))).principal_id AS owner, project('main') AS main,
       project('other') AS other, project('foreign') AS foreign, token('new') AS digest,
       token('plain') AS plain \gset

-- Adding one ------------------------------------------------------------------------

SET SESSION AUTHORIZATION coffer_operator;
SELECT operator.api_key_add(:'owner', 'SCWAAAAAAAAAAAAAAAAA', :'digest', :'other', 'for the shop',
                            '2101-01-01 00:00:00+00') AS id \gset
SELECT operator.api_key_add(:'owner', 'SCWBBBBBBBBBBBBBBBBB', :'plain') AS plain \gset
RESET SESSION AUTHORIZATION;
SELECT results_eq(format($$SELECT principal_id, access_key, digest, default_project_id, description,
                         expires_at, revoked_at
                             FROM store.api_key WHERE id = %L$$, :'id'),
                  format($$VALUES (%L::uuid, 'SCWAAAAAAAAAAAAAAAAA', %L::bytea, %L::uuid,
                                   'for the shop',
                                   '2101-01-01 00:00:00+00'::timestamptz, NULL::timestamptz)$$,
                         :'owner', :'digest', :'other'), 'operator.api_key_add adds an API key');
SELECT results_eq(format('SELECT default_project_id, description, expires_at FROM store.api_key '
                         'WHERE id = %L',
                         :'plain'), $$VALUES (NULL::uuid, '', NULL::timestamptz)$$,
                  'a principal, an access key and a digest are enough');
SELECT is((call('secret_create', body => '{"name": "x"}', caller => 'new')).body ->> 'project_id',
          :'other',
          'the key can be used, with its default project');
SELECT results_eq($$SELECT method, database_role, principal_id FROM audit.event
                  WHERE method LIKE 'operator.%'
                     ORDER BY id DESC LIMIT 2$$,
                  format($$VALUES ('operator.api_key_add', 'coffer_operator', %1$L::uuid),
                                  ('operator.api_key_add', 'coffer_operator', %1$L::uuid)$$,
                                      :'owner'),
                  'it is audited');

SELECT is(e.request, jsonb_build_object('api_key_id', k.id, 'access_key', k.access_key,
                                        'default_project_id', k.default_project_id,
                                        'description', k.description, 'expires_at',
                                            rule.render_time(k.expires_at)),
          'with what was given, and without the digest: ' || k.access_key)
  FROM audit.event e JOIN store.api_key k ON k.access_key = e.request ->> 'access_key'
  WHERE k.id IN (:'id', :'plain');

SELECT is(raised(format('SELECT operator.api_key_add(%L, %L, %L, %L)', principal,
                        'SCWCCCCCCCCCCCCCCCCC',
                        token('c'), project)), 'SM900 ' || remedy || ' ',
          'operator.api_key_add refuses ' || title || ' (SM900)')
  FROM (VALUES ('a principal that is not there', gen_random_uuid()::text, NULL,
                'operator.principal_create() makes one'),
               ('a default project of another organization', :'owner', :'foreign',
                'operator.project_create() makes one there'),
               ('a default project that is not there', :'owner', gen_random_uuid()::text,
                'operator.project_create() makes one there')) AS t(title, principal, project,
                    remedy);
SELECT throws_ok(format('SELECT operator.api_key_add(%L, %L, %L)', :'owner', access_key, digest),
                 state, NULL,
                 format('operator.api_key_add refuses %s (%s)', title, state))
  FROM (VALUES ('an access key that is none', 'SCWcccccccccccccccccc', token('c'), '23514'),
               ('one that is taken', 'SCWAAAAAAAAAAAAAAAAA', token('c'), '23505'),
               ('a digest that is none', 'SCWCCCCCCCCCCCCCCCCC', sha512('c'), '23514'),
               ('one that is taken', 'SCWCCCCCCCCCCCCCCCCC', token('owner'), '23505')
       ) AS t(title, access_key, digest, state);

SELECT throws_ok(format('SELECT operator.api_key_add(%L, %L, %L, expires_at => %L)', :'owner',
                        'SCWCCCCCCCCCCCCCCCCC', token('c'), at),
                 'SM900', message, format('operator.api_key_add refuses %s (SM900)', at))
  FROM (VALUES ('infinity', 'expires_at is infinite'), ('yesterday', NULL),
        (clock_timestamp()::text, NULL)) AS t(at, message);

-- Revoking one ----------------------------------------------------------------------

SET SESSION AUTHORIZATION coffer_operator;
SELECT operator.api_key_revoke('SCWAAAAAAAAAAAAAAAAA') AS revoked \gset
RESET SESSION AUTHORIZATION;
SELECT is((SELECT method FROM audit.event ORDER BY id DESC LIMIT 1), 'operator.api_key_revoke',
          'operator.api_key_revoke is audited');
SELECT is(detail('operator.api_key_revoke'),
          jsonb_build_object('api_key_id', :'id', 'access_key', 'SCWAAAAAAAAAAAAAAAAA', 'before',
                             jsonb_build_object('default_project_id', :'other', 'description',
                                                'for the shop',
                                                'expires_at', '2101-01-01T00:00:00.000000Z')),
                                                    'with what the key was');
SELECT is(brief(call('secret_list', caller => 'new')), '401 denied_authentication not_found',
          'the key is refused from then on');
SELECT is((call('secret_list', caller => 'plain')).status, 200, 'another of its principal is not');
SELECT is(raised(format('SELECT operator.api_key_revoke(%L)', key)),
          'SM900 it may have been revoked before ',
          'operator.api_key_revoke refuses a key that is ' || title || ' (SM900)')
  FROM (VALUES ('revoked', 'SCWAAAAAAAAAAAAAAAAA'), ('not there', 'SCWCCCCCCCCCCCCCCCCC'))
       AS t(title, key);

SELECT finish();
ROLLBACK;
