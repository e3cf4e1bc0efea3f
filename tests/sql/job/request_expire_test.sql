BEGIN;
\ir ../setup.sql

SELECT count(call('secret_create', body => jsonb_build_object('name', 'expire-' || n),
                  extra => '{"once": true}'))
  FROM generate_series(1, 4) AS n;
SELECT is(job.request_expire(10), 0::bigint, 'answers are kept');
UPDATE store.request SET at = at - interval '1 day' WHERE body !~ 'expire-4';
SET SESSION AUTHORIZATION coffer_api;
SELECT job.request_expire(2) AS first, job.request_expire(2) AS second \gset
RESET SESSION AUTHORIZATION;
SELECT is(:first, 2, 'after a day they are forgotten, at most a batch at once');
SELECT is(:second, 1, 'until all are');
SELECT is((SELECT count(*) FROM store.request WHERE body ~ 'expire-4'), 1::bigint,
          'but those of today');

SELECT finish();
ROLLBACK;
