-- What auditors ask of versions.
BEGIN;
\ir ../setup.sql
\ir ../keys.sql
SELECT make_version('ready') \g /dev/null
SELECT backdate('locked');
UPDATE store.version SET expires_at = now() + interval '10 days', action = 'disable',
    expires_once_accessed = false
 WHERE secret_id = secret('ready')::uuid AND revision = 1;
SELECT given('secret_version_disable', 'ready', '2') \g /dev/null
SELECT make_secret('keyed', jsonb_build_object('key_id', secret('live')), 'keeper'),
       make_version('keyed', caller => 'keeper'),
       given('secret_protect', 'keyed') \g /dev/null
SELECT secret('live') AS live \gset

SET LOCAL ROLE coffer_auditor;
SELECT results_eq('SELECT revision, status, latest FROM auditor.version WHERE name = ''ready'' '
                  'ORDER BY revision',
                  $$VALUES (1, 'enabled', false), (2, 'disabled', true)$$,
                      'auditor.version says in what state each version is');
SELECT results_eq('SELECT name, revision, latest FROM auditor.versions_old()',
                  $$VALUES ('locked' COLLATE "C", 1, true)$$,
                      'auditor.versions_old lists old versions');
SELECT results_eq('SELECT name, revision FROM auditor.versions_expiring()',
                  $$VALUES ('ready' COLLATE "C", 1)$$,
                      'auditor.versions_expiring those that expire soon');
SELECT is_empty('SELECT name FROM auditor.versions_expiring(9)', 'in so many days');
SELECT results_eq('SELECT name FROM auditor.versions_unprotected() ORDER BY name',
                  $$VALUES ('foreign' COLLATE "C"), ('locked'), ('managed'), ('ready')$$,
                      'auditor.versions_unprotected those without protection');
SELECT results_eq('SELECT name FROM auditor.version WHERE key_id = ' || quote_literal(:'live'),
                  $$VALUES ('keyed' COLLATE "C")$$,
                  'auditor.version says which managed key a version is under');

SELECT finish();
ROLLBACK;
