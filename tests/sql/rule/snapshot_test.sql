-- What an event may show of what it concerned.
BEGIN;
\ir ../setup.sql
\ir ../keys.sql
SELECT backdate('ready') \g /dev/null
SELECT make_secret('under', jsonb_build_object('path', '/a', 'key_id', secret('live')));

SELECT is(rule.snapshot(stored('ready')),
          '{"name": "ready", "path": "/", "created_at": "2001-02-03T04:05:06.789000Z", '
          '"updated_at": "2001-02-03T04:05:06.789000Z"}',
          'rule.snapshot of a secret');
SELECT is(rule.snapshot(stored('under')) - '{created_at,updated_at}'::text[],
          jsonb_build_object('name', 'under', 'path', '/a', 'key_id', secret('live')),
              'of one under a managed key');
SELECT is(rule.snapshot(stored('under'), long_ago(), NULL),
          '{"name": "under", "created_at": "2001-02-03T04:05:06.789000Z", "updated_at": null}',
              'of a version');
SELECT is(rule.snapshot(stored_key('live')) - '{created_at,updated_at}'::text[], '{"name": "live"}',
          'of a key');

SELECT is(rule.snapshot_of_secret(organization(whose), secret('ready')::uuid, revision), expected,
          'rule.snapshot_of_secret: ' || title)
  FROM (VALUES ('acme', NULL, rule.snapshot(stored('ready')), 'a secret'),
               ('acme', 1, rule.snapshot(stored('ready'), long_ago(), long_ago()), 'a version'),
               ('acme', 2, rule.snapshot(stored('ready'), NULL, NULL),
                'a version that is not there'),
               ('rival', NULL, NULL, 'nothing of another organization'),
               ('rival', 1, NULL, 'nor whether it has this version'),
               ('nobody', NULL, NULL, 'nothing without an organization')) AS t(whose, revision,
                   expected, title);
SELECT is(rule.snapshot_of_secret(organization('acme'), secret('live')::uuid, NULL), NULL,
          'a key is no secret');
SELECT is(rule.snapshot_of_key(organization(whose), secret('live')::uuid), expected,
          'rule.snapshot_of_key: ' || title)
  FROM (VALUES ('acme', rule.snapshot(stored_key('live')), 'a key'),
               ('rival', NULL, 'nothing of another organization')) AS t(whose, expected, title);

SELECT finish();
ROLLBACK;
