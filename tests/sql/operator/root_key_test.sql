BEGIN;
\ir ../setup.sql
DELETE FROM store.pepper;
DELETE FROM store.root_key;
DELETE FROM store.instance;
UPDATE store.kek SET root_id = 'old';
SELECT daemon.pepper_keep('old', decode(repeat('00', 60), 'hex')) \g /dev/null
SELECT daemon.signer_keep(sha256('public'), 'old', decode(repeat('00', 60), 'hex')) \g /dev/null
-- Of projects, the pepper, and the key for seals.
SELECT count(*) + 2 AS keys FROM store.kek \gset

CREATE FUNCTION test.operates(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION
    WHEN SQLSTATE 'SM900' THEN
        RETURN SQLERRM;
END
$$;
CREATE FUNCTION test.instance(number integer, root_ids text[],
                              seen interval DEFAULT '0') RETURNS void LANGUAGE sql AS $$
    INSERT INTO store.instance (id, build, root_ids, seen_at)
    VALUES (lpad(number::text, 32, '0')::uuid, '1', root_ids, clock_timestamp() - seen)
        ON CONFLICT (id) DO UPDATE SET root_ids = excluded.root_ids, seen_at = excluded.seen_at
$$;
CREATE FUNCTION test.states() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', id, state, wraps, instances, instances_without), ', '
                      ORDER BY id) FROM operator.root_key
$$;

SELECT is(operates($$SELECT operator.root_key_activate('new')$$), 'no daemon has had this root key',
          'operator.root_key_activate refuses a key that nobody has (SM900)');
SELECT rule.root_key_see('{new}'), instance(1, '{old,new}'), instance(2, '{old}'),
       instance(3, '{old}', '1 hour') \g /dev/null
SELECT is(states(), format('new loaded 0 1 1, old active %s 2 0', :keys),
          'operator.root_key says what is under each and who has it');
SELECT is(operates($$SELECT operator.root_key_activate('new')$$),
          'running daemons do not have this root key: 00000000-0000-0000-0000-000000000002',
          'a key that a running daemon has not (SM900)');
SELECT instance(2, '{old,new}') \g /dev/null
SELECT is(operates($$SELECT operator.root_key_activate('new')$$), 'done',
          'and activates one that all have');
SELECT is(audited(), format('operator.root_key_activate 200 by %s', session_user), 'it is audited');
SELECT is(detail('operator.root_key_activate'), '{"root_id": "new", "before": {"root_id": "old"}}',
          'with which key that was, and the one before');

SELECT is(operates($$SELECT operator.root_key_activate('new')$$), 'done', 'again: nothing');
SELECT is(states(), format('new active 0 2 0, old loaded %s 2 0', :keys),
          'the other is no more active');

SELECT is(operates($$SELECT operator.root_key_retire('none')$$), 'no daemon has had this root key',
          'operator.root_key_retire refuses a key that nobody has (SM900)');
SELECT is(operates($$SELECT operator.root_key_retire('new')$$), 'this root key is active',
          'the active one (SM900)');
SELECT is(operates($$SELECT operator.root_key_retire('old')$$),
          format('%s keys are wrapped under this root key', :keys),
          'one that something is under (SM900)');
UPDATE store.kek SET root_id = 'new';
UPDATE store.pepper SET root_id = 'new';
SELECT is(operates($$SELECT operator.root_key_retire('old')$$),
          '1 keys are wrapped under this root key',
          'be it but the one for seals (SM900)');
UPDATE store.signer SET root_id = 'new';
SELECT is(operates($$SELECT operator.root_key_retire('old')$$), 'done',
          'and retires one that nothing is under');
SELECT is(request, '{"root_id": "old"}', 'which is audited') FROM audit.event ORDER BY id DESC
 LIMIT 1;
SELECT is(operates($$SELECT operator.root_key_retire('old')$$), 'done', 'again: nothing');
SELECT is(states(), format('new active %s 2 0, old retired 0 2 0', :keys), 'which it then is');
SELECT is(operates($$SELECT operator.root_key_activate('old')$$), 'this root key is retired',
          'a retired key is not activated (SM900)');

SELECT finish();
ROLLBACK;
