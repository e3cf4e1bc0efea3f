BEGIN;
\ir ../setup.sql

SELECT set_eq('SELECT name FROM job.list() AS name',
              $$SELECT proname::text FROM pg_proc WHERE pronamespace = 'job'::regnamespace
                  AND proname <> ALL ('{run,list,audit_seal}')$$,
              'job.list has every job');
SELECT is(name, 'audit_partition_create',
          'the one without which the others cannot write their rows comes first')
              FROM job.list() AS name LIMIT 1;

SELECT finish();
ROLLBACK;
