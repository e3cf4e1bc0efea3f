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
                  $$VALUES (1, 'disabled', true), (2, 'disabled', true),
                           (3, 'scheduled_for_deletion', true),
                           (6, 'enabled', true)$$,
                  'what has expired is disabled since then, or gone');
UPDATE store.version SET expires_at = clock_timestamp() + interval '1 hour'
 WHERE secret_id = secret('ready')::uuid AND revision < 6;
SELECT results_eq($$SELECT v.* FROM rule.version_now v WHERE secret_id = secret('ready')::uuid
                     ORDER BY revision$$,
                  $$SELECT v.* FROM store.version v WHERE secret_id = secret('ready')::uuid
                     ORDER BY revision$$, 'what has not is as it is stored');
SELECT is(count(*), 6::bigint, 'all of it') FROM rule.version_now
 WHERE secret_id = secret('ready')::uuid;

-- What a change lets expire is scheduled for deletion. What is seen of it is what rule.version_act
-- stores.
UPDATE store.version SET expires_at = clock_timestamp(), action = 'delete', recoverable = true,
       expires_once_accessed = revision IN (1, 3)
 WHERE secret_id = secret('ready')::uuid AND revision < 6;
CREATE TEMPORARY TABLE seen AS
SELECT v.* FROM rule.version_now v WHERE v.secret_id = secret('ready')::uuid;
SELECT results_eq('SELECT revision, status, status_to_restore, expires_at, expires_once_accessed, '
                  'action FROM seen ORDER BY revision',
                  $$VALUES (1, 'scheduled_for_deletion', 'enabled', NULL::timestamptz, true,
                            'delete'),
                           (2, 'scheduled_for_deletion', 'disabled', NULL, NULL, NULL),
                           (3, 'scheduled_for_deletion', 'enabled', NULL, true, 'delete'),
                           (4, 'scheduled_for_deletion', 'enabled', NULL, NULL, NULL),
                           (5, 'scheduled_for_deletion', 'enabled', NULL, NULL, NULL),
                           (6, 'enabled', NULL, NULL, NULL, NULL)$$,
                  'an expiry by a change schedules for deletion; one reader is still all that a '
                  'version may have');
SELECT rule.version_expire(stored('ready'));
SELECT results_eq('SELECT * FROM seen ORDER BY revision',
                  $$SELECT v.* FROM rule.version_now v WHERE v.secret_id = secret('ready')::uuid
                     ORDER BY revision$$,
                  'before it is written down as after it');

SELECT finish();
ROLLBACK;
