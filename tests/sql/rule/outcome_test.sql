BEGIN;
\ir ../raised.sql

SELECT jsonb_populate_record(NULL::store.secret,
                             '{"id": "11111111-0000-0000-0000-000000000001",
                               "project_id": "22222222-0000-0000-0000-000000000002"}') AS secret \gset
SELECT is(rule.outcome(204, NULL, :'secret'::store.secret),
          (204, NULL, '22222222-0000-0000-0000-000000000002', '11111111-0000-0000-0000-000000000001',
           NULL)::rule.outcome, 'an outcome that concerns a secret');
SELECT is(rule.outcome(200, '{}', :'secret'::store.secret, 3),
          (200, '{}', '22222222-0000-0000-0000-000000000002', '11111111-0000-0000-0000-000000000001',
           3)::rule.outcome, 'a version');
SELECT is(rule.outcome(200, '{}', '22222222-0000-0000-0000-000000000002'::uuid),
          (200, '{}', '22222222-0000-0000-0000-000000000002', NULL, NULL)::rule.outcome, 'a project');
SELECT is(rule.outcome(200, '{}', NULL::uuid), (200, '{}', NULL, NULL, NULL)::rule.outcome, 'or several');
SELECT is(rule.outcome(200, '{}', jsonb_populate_record(NULL::store.managed_key,
                                                         '{"id": "11111111-0000-0000-0000-000000000001",
                                                           "project_id": "22222222-0000-0000-0000-000000000002"}')),
          (200, '{}', '22222222-0000-0000-0000-000000000002', '11111111-0000-0000-0000-000000000001', NULL)::rule.outcome,
          'a managed key');

SELECT finish();
ROLLBACK;
