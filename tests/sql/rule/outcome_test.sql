BEGIN;
\ir ../setup.sql
\ir ../keys.sql

SELECT jsonb_populate_record(NULL::store.secret,
                             '{"id": "11111111-0000-0000-0000-000000000001",
                               "project_id": "22222222-0000-0000-0000-000000000002", "name": "n"}')
                                   AS secret \gset
SELECT is(rule.outcome(204, NULL, :'secret'::store.secret),
          (204, NULL, '22222222-0000-0000-0000-000000000002',
           '11111111-0000-0000-0000-000000000001',
           NULL, '{"name": "n"}')::rule.outcome, 'an outcome that concerns a secret');
SELECT is(rule.outcome(200, '{}', :'secret'::store.secret, 3, '2001-02-03+00', NULL),
          (200, '{}', '22222222-0000-0000-0000-000000000002',
           '11111111-0000-0000-0000-000000000001',
           3, '{"name": "n", "created_at": "2001-02-03T00:00:00.000000Z", "updated_at": '
              'null}')::rule.outcome, 'a version');
SELECT is(rule.outcome(200, '{}', '22222222-0000-0000-0000-000000000002'::uuid),
          (200, '{}', '22222222-0000-0000-0000-000000000002', NULL, NULL, NULL)::rule.outcome,
              'a project');
SELECT is(rule.outcome(200, '{}', NULL::uuid), (200, '{}', NULL, NULL, NULL, NULL)::rule.outcome,
          'or several');
SELECT is(rule.outcome(200, '{}', jsonb_populate_record(NULL::store.managed_key, '{
              "id": "11111111-0000-0000-0000-000000000001",
              "project_id": "22222222-0000-0000-0000-000000000002", "name": "n"}')),
          (200, '{}', '22222222-0000-0000-0000-000000000002',
           '11111111-0000-0000-0000-000000000001', NULL,
           '{"name": "n", "created_at": null, "updated_at": null}')::rule.outcome, 'a managed key');

-- What is answered after a change, and what the event shows, is one state.
SELECT is((o.status, o.body::jsonb - 'version_count', o.project_id, o.secret_id, o.revision,
           o.snapshot),
          (200::smallint, rule.render_secret(stored('ready'), '{}')::jsonb - 'version_count',
           project('main'), secret('ready')::uuid, NULL::integer,
           rule.snapshot(stored('ready'))), 'rule.outcome_of_secret')
  FROM rule.outcome_of_secret(secret('ready')::uuid, '{}') AS o;
SELECT is((o.status, o.body::jsonb ->> 'revision', o.body::jsonb ->> 'latest', o.project_id,
           o.secret_id, o.revision, o.snapshot),
          (200::smallint, '1'::text, 'true'::text, project('main'), secret('ready')::uuid, 1,
           rule.snapshot(stored('ready'), (stored('ready', 1)).created_at,
                         (stored('ready', 1)).updated_at)), 'rule.outcome_of_version')
  FROM rule.outcome_of_version(stored('ready'), 1, '{}') AS o;
SELECT is((o.status, o.body::jsonb, o.project_id, o.secret_id, o.revision, o.snapshot),
          (200::smallint, rule.render_managed_key(stored_key('live'), '{}')::jsonb, project('main'),
           secret('live')::uuid, NULL::integer,
           rule.snapshot(stored_key('live'))), 'rule.outcome_of_key')
  FROM rule.outcome_of_key(secret('live')::uuid, '{}') AS o;

SELECT finish();
ROLLBACK;
