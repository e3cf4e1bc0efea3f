-- Root keys by their fingerprints.
BEGIN;
\ir ../setup.sql
DELETE FROM store.pepper;
DELETE FROM store.kek WHERE NOT EXISTS (SELECT FROM store.dek d WHERE d.kek_id = kek.id);
DELETE FROM store.root_key;
DELETE FROM store.instance;
UPDATE store.kek SET root_id = 'old';
SELECT count(*) AS keks FROM store.kek \gset

SELECT is(rule.root_key_active(), NULL,
          'rule.root_key_active gives nothing before the first pepper');
SELECT is(rule.root_key_faults('{old}'), '{}',
          'rule.root_key_faults finds nothing when what is needed is loaded');
SELECT is(rule.root_key_faults('{new}'),
          ARRAY[format('root key old is needed and not loaded (%s keys are wrapped under it): load '
                       'it, then send SIGHUP or start again',
                       :'keks')],
          'and names the key that is needed');
SELECT daemon.pepper_keep('new', decode(repeat('00', 60), 'hex')) \g /dev/null
SELECT is(rule.root_key_active(), 'new', 'the root key of the first pepper is active');
SELECT is(rule.root_key_faults('{old}'),
          '{"root key new is needed and not loaded (1 keys are wrapped under it, it is active): '
          'load it, then send SIGHUP or start again"}',
          'and needed');
SELECT is(rule.root_key_hold(root_id), held, format('rule.root_key_hold of %s root key', title))
  FROM (VALUES ('new', true, 'the active'), ('old', false, 'another'), (NULL, false, 'no'))
       AS t(root_id, held, title);
UPDATE store.pepper SET root_id = 'old';
SELECT is(rule.root_key_faults('{old}'),
          '{"root key new is needed and not loaded (it is active): load it, then send SIGHUP or '
          'start again"}',
          'even while nothing is under it');
SELECT rule.root_key_see('{old,new,other}') \g /dev/null
SELECT rule.root_key_see('{old,new,other}') \g /dev/null
SELECT set_eq('SELECT id FROM store.root_key', '{old,new,other}'::text[],
              'rule.root_key_see remembers each once');
SELECT is(rule.root_key_active(), 'new', 'and makes none active');
SELECT set_eq('SELECT root_id, count(*) FROM rule.root_key_use GROUP BY 1',
              format($$VALUES ('old', 1::bigint + %s)$$, :'keks'),
              'rule.root_key_use has a row for all that is wrapped');
INSERT INTO store.instance (id, build, root_ids, seen_at)
VALUES (gen_random_uuid(), 'gone', '{}', clock_timestamp() - interval '4 minutes'),
       (gen_random_uuid(), 'here', '{}', clock_timestamp() - interval '2 minutes');
SELECT set_eq('SELECT build FROM rule.instance_live', '{here}'::text[],
              'rule.instance_live are those that were seen of late');

SELECT finish();
ROLLBACK;
