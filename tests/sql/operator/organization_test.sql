BEGIN;
\ir ../setup.sql

-- Allowed ----------------------------------------------------------------------

SET SESSION AUTHORIZATION coffer_operator;
SELECT operator.organization_create('new') AS id \gset
SELECT operator.organization_create('given', '11111111-0000-0000-0000-000000000001') AS given \gset
RESET SESSION AUTHORIZATION;
SELECT is(name, 'new', 'operator.organization_create makes an organization') FROM store.organization
 WHERE id = :'id';
SELECT is(:'given'::text, '11111111-0000-0000-0000-000000000001',
          'with an id of its own or a given one');
SELECT results_eq($$SELECT method, database_role, organization_id, status FROM audit.event
                     ORDER BY id DESC LIMIT 1$$,
                  $$VALUES ('operator.organization_create', 'coffer_operator',
                            '11111111-0000-0000-0000-000000000001'::uuid, 200::smallint)$$,
                                'and is audited');

-- Refused ----------------------------------------------------------------------

SELECT throws_ok($$SELECT operator.organization_create('again',
                                                       '11111111-0000-0000-0000-000000000001')$$,
                 '23505', NULL, 'an id that is taken is refused (23505)');

SELECT is(array(SELECT k FROM jsonb_object_keys(detail('operator.organization_create')) AS k),
          '{name}', 'the audit has what was given');

SELECT finish();
ROLLBACK;
