-- rule.version_now: versions as they are at this instant.
BEGIN;
\ir setup.sql

SELECT make_version('ready') FROM generate_series(2, 6);
SELECT given('secret_version_disable', 'ready', '2'), given('secret_version_delete', 'ready', '3'),
       given('secret_version_delete', 'ready', '4'), backdate('ready');
UPDATE store.version SET expires_at = clock_timestamp(), expires_once_accessed = false,
       action = CASE WHEN revision IN (4, 5) THEN 'delete' ELSE 'disable' END
 WHERE secret_id = secret('ready')::uuid AND revision < 6;
SELECT results_eq($$SELECT revision, status,
                           updated_at = CASE WHEN revision = 1 THEN expires_at ELSE long_ago() END
                      FROM rule.version_now
                     WHERE secret_id = secret('ready')::uuid ORDER BY revision$$,
                  $$VALUES (1, 'disabled', true), (2, 'disabled', true), (3, 'scheduled_for_deletion', true),
                           (6, 'enabled', true)$$,
                  'what has expired is disabled since then, or gone');
UPDATE store.version SET expires_at = clock_timestamp() + interval '1 hour'
 WHERE secret_id = secret('ready')::uuid AND revision < 6;
SELECT results_eq($$SELECT v.* FROM rule.version_now v WHERE secret_id = secret('ready')::uuid
                     ORDER BY revision$$,
                  $$SELECT v.* FROM store.version v WHERE secret_id = secret('ready')::uuid
                     ORDER BY revision$$, 'what has not is as it is stored');
SELECT is(count(*), 6::bigint, 'all of it') FROM rule.version_now WHERE secret_id = secret('ready')::uuid;

SELECT finish();
ROLLBACK;
