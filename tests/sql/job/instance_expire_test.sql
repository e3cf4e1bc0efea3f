BEGIN;
\ir ../setup.sql

DELETE FROM store.instance;
INSERT INTO store.instance (id, build, root_ids, seen_at)
SELECT gen_random_uuid(), build, '{}', clock_timestamp() - seen
  FROM (VALUES ('now', interval '0'), ('quiet', '23 hours'), ('gone', '25 hours'),
        ('long gone', '1 year'),
               ('as long', '1 year')) AS t(build, seen);
SET SESSION AUTHORIZATION coffer_api;
SELECT job.instance_expire(2) AS first, job.instance_expire(2) AS second \gset
RESET SESSION AUTHORIZATION;
SELECT is(:first, 2,
          'job.instance_expire forgets daemons that have been silent for a day, at most a batch at '
          'once');
SELECT is(:second, 1, 'until all are');
SELECT set_eq('SELECT build FROM store.instance', '{now,quiet}'::text[], 'but no others');

SELECT finish();
ROLLBACK;
