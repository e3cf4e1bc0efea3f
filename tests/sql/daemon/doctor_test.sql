BEGIN;
\ir ../setup.sql

SET LOCAL synchronous_commit = on;

-- What is wrong for a daemon with these root keys, each line up to its remedy.
CREATE FUNCTION test.faults(root_ids text[], pool_size integer) RETURNS text[] LANGUAGE plpgsql
    AS $$
DECLARE
    v_faults text[];
BEGIN
    SET LOCAL SESSION AUTHORIZATION coffer_api;
    v_faults := ARRAY(SELECT what || ': ' || split_part(fault, ':', 1)
                      FROM daemon.doctor(root_ids, pool_size)
                       WHERE fault IS NOT NULL AND what <> 'role settings' ORDER BY 1);
    RESET SESSION AUTHORIZATION;
    RETURN v_faults;
END
$$;

SELECT is(faults('{0123456789abcdef}', 8), '{}'::text[], 'daemon.doctor finds nothing wrong');
SELECT is(faults('{}', 100000),
          '{connections: more are wanted than there are,"keys: root key 0123456789abcdef is needed '
          'and not loaded (3 keys are wrapped under it, it is active)"}'::text[],
          'or connections and root keys that are missing');
SELECT to_char(now() AT TIME ZONE 'UTC' + interval '1 month', '"audit.event_"YYYY_MM')
       AS missing \gset
DROP TABLE :missing;
SELECT is(faults('{0123456789abcdef}', 8),
          '{audit partitions: no partition for the time to come}'::text[],
          'or partitions of the audit');
SELECT isnt_empty($$SELECT FROM daemon.doctor('{}', 8) WHERE what = 'role settings'
                  AND fault LIKE '%: ALTER ROLE %'$$,
                  'or settings of the role, with their remedy');

-- A seal of the migration, which nobody has signed and anchored.
UPDATE audit.seal SET sealed_at = now() - interval '10 minutes';
SELECT is(faults('{0123456789abcdef}', 8),
          '{audit partitions: no partition for the time to come}'::text[],
          'nor seals that are late where no daemon runs to make them');
INSERT INTO store.instance (id, build, root_ids)
    VALUES (gen_random_uuid(), 'test', '{0123456789abcdef}');
SELECT is((SELECT array_agg(split_part(f, ' ', 1) || ' ' || split_part(f, ' ', 2))
           FROM unnest(faults('{0123456789abcdef}', 8)) AS f),
          '{"audit anchors:","audit partitions:","audit seals:"}'::text[], 'but where one runs');
UPDATE audit.seal SET sealed_at = now() - interval '1 minute';
SELECT is(faults('{0123456789abcdef}', 8),
          '{audit partitions: no partition for the time to come}'::text[],
          'though not before three minutes');

SELECT finish();
ROLLBACK;
