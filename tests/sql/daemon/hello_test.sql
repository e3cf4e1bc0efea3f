BEGIN;
\ir ../raised.sql
\ir ../session.sql
DELETE FROM store.pepper;

CREATE FUNCTION test.hello(build text DEFAULT '1.0') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_answer text;
BEGIN
    SET LOCAL SESSION AUTHORIZATION coffer_api;
    v_answer := (SELECT concat_ws(' ', count(*), min(schema_version), min(faults),
                                  min(pepper_root_id),
                                  min(encode(pepper, 'hex')), min(lockout))
                   FROM daemon.hello('11111111-0000-0000-0000-000000000001', build,
                                     '{0123456789abcdef}'));
    RESET SESSION AUTHORIZATION;
    RETURN v_answer;
END
$$;

SELECT is(hello(), format('1 %s {}', max(number)),
          'daemon.hello gives schema version, no faults, and no pepper when there is none yet')
  FROM store.migration;
SELECT daemon.pepper_keep('0123456789abcdef', decode(repeat('ab', 60), 'hex')) \g /dev/null
SELECT is(hello('1.1'), format('1 %s {} 0123456789abcdef %s', max(number), repeat('ab', 60)),
          'and then the pepper') FROM store.migration;
SELECT results_eq($$SELECT build, root_ids, seen_at > now() FROM store.instance
                     WHERE id = '11111111-0000-0000-0000-000000000001'$$,
                  $$VALUES ('1.1', '{0123456789abcdef}'::text[], true)$$,
                  'it remembers the daemon as it last was');
UPDATE store.pepper SET root_id = '00000000ffffffff';
SELECT matches(hello(), format('^1 %s [{]"%2$s"[}] 00000000ffffffff (ab)+ %2$s$', max(number),
                               'root key 00000000ffffffff is needed and not loaded [(][^)]+[)]: '
                               'load it, then send SIGHUP or start again'),
               'a root key that is missing is a fault, and said apart') FROM store.migration;
SELECT is(build, '1.1', 'and the daemon is remembered as it was before') FROM store.instance
 WHERE id = '11111111-0000-0000-0000-000000000001';
DELETE FROM store.instance;
SELECT hello() \g /dev/null
SELECT is_empty('SELECT FROM store.instance', 'or not at all');
UPDATE store.pepper SET root_id = '0123456789abcdef';
SET LOCAL plan_cache_mode = auto;
SELECT alike(hello(),
             '% {"plan_cache_mode is auto: ALTER ROLE coffer_api SET plan_cache_mode = '
             'force_generic_plan"} %',
             'and says what is wrong with its settings');

SELECT finish();
ROLLBACK;
