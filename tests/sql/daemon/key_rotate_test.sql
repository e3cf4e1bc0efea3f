BEGIN;
\ir ../setup.sql
\ir ../keys.sql

CREATE FUNCTION test.rotate(key text, root text DEFAULT '0123456789abcdef',
                            rotation integer DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_id   CONSTANT uuid := test.secret(key);
    v_done boolean;
BEGIN
    SET LOCAL SESSION AUTHORIZATION coffer_api;
    v_done := daemon.key_rotate(v_id, gen_random_uuid(), root, decode(repeat('03', 60), 'hex'),
                                rotation);
    RESET SESSION AUTHORIZATION;
    RETURN v_done;
END
$$;
CREATE FUNCTION test.due(batch integer DEFAULT 10) RETURNS text[] LANGUAGE sql AS $$
    SELECT ARRAY(SELECT n.name || ' in ' || p.name
                   FROM daemon.key_rotate_due(batch) WITH ORDINALITY AS d(key_id, project_id,
                       active_root_id, rotation, place)
                   JOIN test.secret_name n ON n.id = d.key_id JOIN store.project p
                        ON p.id = d.project_id ORDER BY d.place)
$$;

SELECT given_key('key_update', key, '{"rotation_policy": {"rotation_period": "86400s"}}')
  FROM unnest('{live,guarded,disabled}'::text[]) AS key;
SELECT given_key('key_restore', 'doomed'),
       given_key('key_update', 'doomed', '{"rotation_policy": {"rotation_period": "86400s"}}'),
       given_key('key_delete', 'doomed');
SELECT is(due(), '{}', 'nothing is due before its time');
SELECT is(rotate('live'), false, 'or rotated');

UPDATE store.managed_key SET next_rotation_at = clock_timestamp() - interval '36 hours'
WHERE next_rotation_at IS NOT NULL;
UPDATE store.managed_key SET next_rotation_at = next_rotation_at - interval '1 hour'
WHERE name = 'guarded';
SELECT is(due(), '{guarded in main,live in main}',
          'daemon.key_rotate_due gives enabled keys whose time has come, in order');
SELECT is(active_root_id, '0123456789abcdef', 'the root key for new material')
  FROM daemon.key_rotate_due(1);
SELECT is(due(1), '{guarded in main}', 'no more than asked for');
SELECT backdate_key('live'), next_rotation_at AS before FROM stored_key('live') \gset
SELECT is(rotate('live', 'retired'), false,
          'none gets material that is not under the active root key');
SELECT is(rotation, 2, 'and the number of the next rotation') FROM daemon.key_rotate_due(10)
 WHERE key_id = secret('live')::uuid;
SELECT is(rotate('live', rotation => 3), false, 'nor material for another rotation');
SELECT is(rotate('live', rotation => 2), true, 'daemon.key_rotate rotates one');
SELECT is(audited(), 'job.key_rotate 200 by coffer_api on live in main',
          'it is audited, as what a job does');
SELECT is(request - 'snapshot', '{"rotation": 2}', 'with the rotation') FROM audit.event
 ORDER BY id DESC LIMIT 1;
SELECT results_eq($$SELECT rotation, active, root_id, wrapped FROM store.kek
                  WHERE key_id = secret('live')::uuid ORDER BY 1$$,
                  $$VALUES (1, false, '0123456789abcdef', decode(repeat('00', 60), 'hex')),
                           (2, true, '0123456789abcdef', decode(repeat('03', 60), 'hex'))$$,
                               'the material is its newest rotation');
SELECT is((k.rotation_count, k.updated_at = k.rotated_at, k.rotated_at > long_ago()),
          (2, true, true), 'the key says so')
  FROM stored_key('live') AS k;
SELECT is((stored_key('live')).next_rotation_at, :'before'::timestamptz + interval '48 hours',
          'the next time is the first to come of those that the policy gives');
SELECT is(rotate('live'), false, 'once');
SELECT is(due(), '{guarded in main}', 'and it is due no more');
SELECT is(rotate(key), false, format('one that is %s is not rotated', key))
  FROM unnest('{disabled,doomed}'::text[]) AS key;
SELECT is(rotate(gen_random_uuid()::text), false, 'or one that is not there');
SELECT given_key('key_enable', 'disabled');
SELECT is(rotate('disabled'), true, 'but for when it is enabled again');
SELECT is(rule.render_event(e) ->> 'method_name', 'RotateKeyByPolicy',
          'the event has a name of its own')
  FROM audit.event e ORDER BY e.id DESC LIMIT 1;

SELECT finish();
ROLLBACK;
