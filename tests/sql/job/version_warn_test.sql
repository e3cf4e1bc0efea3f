-- job.version_warn
BEGIN;
\ir ../setup.sql

CREATE FUNCTION test.expires(secret text, after interval) RETURNS void LANGUAGE sql AS $$
    SELECT test.make_secret(secret), test.make_version(secret);
    UPDATE store.version SET expires_at = now() + after, action = 'disable',
        expires_once_accessed = false
     WHERE secret_id = test.secret(secret)::uuid;
$$;
CREATE FUNCTION test.warnings() RETURNS TABLE (secret text, days text) LANGUAGE sql AS $$
    SELECT n.name, e.request ->> 'days' FROM audit.event e JOIN test.secret_name n
           ON n.id = e.secret_id
     WHERE e.method = 'job.version_warn' ORDER BY e.id
$$;
-- As if the job had run an hour ago.
UPDATE store.expiry_warning SET reached = now() + days * interval '1 day' - interval '1 hour';
SELECT expires('month', '30 days -10 minutes'), expires('week', '7 days -10 minutes'),
       expires('day', '1 day -10 minutes'),
       expires('early', '31 days'), expires('between', '20 days'),
           expires('late', '30 days -2 hours'),
       expires('disabled', '7 days -20 minutes');
UPDATE store.version SET status = 'disabled' WHERE secret_id = secret('disabled')::uuid;

SET LOCAL ROLE coffer_api;
SELECT is(job.version_warn(), 3::bigint, 'job.version_warn gives the number of warnings');
RESET ROLE;
SELECT results_eq('SELECT * FROM test.warnings()', $$VALUES ('month', '30'), ('week', '7'),
                  ('day', '1')$$,
                  'which it writes 30, 7 and 1 days ahead, of enabled versions');
SELECT is(audited(), 'job.version_warn 200 by postgres on day/1 in main', 'as audit rows');
SELECT isnt_empty('SELECT FROM auditor.change WHERE method = ''job.version_warn''',
                  'which are in the feed of changes');
SELECT is(job.version_warn(), 0::bigint, 'each is written once');

UPDATE store.expiry_warning SET reached = now() + days * interval '1 day' - interval '1 hour';
SELECT expires('month-' || i, '30 days -5 minutes') FROM generate_series(1, 3) AS i;
SELECT is(job.version_warn(2), 2::bigint,
          'a batch is kept to, also among those that expire at one instant');
SELECT is(job.version_warn(2), 2::bigint, 'and the next goes on');
SELECT is(job.version_warn(2), 2::bigint, 'with the week');
SELECT is(job.version_warn(2), 0::bigint, 'until all are done');
SELECT is_empty($$SELECT secret, days FROM test.warnings() GROUP BY 1, 2 HAVING count(*) > 1
                AND secret LIKE 'month-%'$$,
                'each is warned of once');
SELECT is(count(*), 3::bigint, 'and none is left out') FROM test.warnings()
 WHERE secret LIKE 'month-%';

SELECT finish();
ROLLBACK;
