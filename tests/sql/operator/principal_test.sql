BEGIN;
\ir ../setup.sql
SELECT organization('acme') AS acme \gset

SET SESSION AUTHORIZATION coffer_operator;
SELECT operator.principal_create(:'acme', 'user', 'ada') AS id \gset
RESET SESSION AUTHORIZATION;
SELECT results_eq(format('SELECT organization_id, kind, name FROM store.principal WHERE id = %L',
                         :'id'),
                  format('VALUES (%L::uuid, %L, %L)', :'acme', 'user', 'ada'),
                  'operator.principal_create makes a user in an organization');
SELECT results_eq($$SELECT method, database_role, principal_id FROM audit.event ORDER BY id DESC
                  LIMIT 1$$,
                  format($$VALUES ('operator.principal_create', 'coffer_operator', %L::uuid)$$,
                         :'id'),
                  'and is audited');
SELECT lives_ok(format('SELECT operator.principal_create(%L, %L, %L)', :'acme', 'application',
                       'shop'),
                'or an application');

SELECT is(raised(format('SELECT operator.principal_create(%L, %L, %L)', :'acme', 'robot', 'r2')),
          'SM900 pass one of these words as kind ', 'it refuses another kind (SM900)');
SELECT is(raised(format('SELECT operator.principal_create(%L, NULL, %L)', :'acme', 'r2')),
          'SM900 pass one of these words as kind ', 'or none (SM900)');
SELECT is(raised($$SELECT operator.principal_create(gen_random_uuid(), 'user', 'bob')$$),
          'SM900 operator.organization_create() makes one ',
          'it refuses an organization that is not there (SM900)');

SELECT is(array(SELECT k FROM jsonb_object_keys(detail('operator.principal_create')) AS k
                ORDER BY k), '{kind,name}', 'the audit has what was given');

SELECT finish();
ROLLBACK;
