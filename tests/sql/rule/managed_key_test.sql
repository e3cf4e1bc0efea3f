-- What is under a managed key: which rotation, what the state of the key allows, and what a purge
-- leaves.
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- The rotations that the versions of a secret are under: "1, 2".
CREATE FUNCTION test.rotations(secret text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(k.rotation::text, ', ' ORDER BY d.revision)
      FROM store.dek d LEFT JOIN store.kek k ON k.id = d.kek_id
      WHERE d.secret_id = test.secret(secret)::uuid
$$;

-- Rotations ---------------------------------------------------------------------------------------

SELECT make_secret('s', jsonb_build_object('key_id', secret('live'))), make_version('s', 'one');
SELECT is(rotations('s'), '1', 'a version is under the newest rotation of the key of its secret');
SELECT given_key('key_rotate', 'live'), make_version('s', 'two');
SELECT is(rotations('s'), '1, 2', 'after a rotation a new one is under that, at once');
SELECT is(convert_from(decode((call('secret_version_access', 's', revision)).body ->> 'data',
                              'base64'), 'UTF8'), data,
          'each is read under its own')
              FROM (VALUES ('1', 'one'), ('2', 'two')) AS t(revision, data);
SELECT is((api_call('secret_version_create', request('s', data => 'x'),
                    data => 'x')).body - 'wrapped',
          jsonb_build_object('need', 'key', 'secret_id', secret('s'), 'project_id', project('main'),
                             'kek_id', k.id,
                             'root_id', '0123456789abcdef', 'key_id', k.key_id, 'rotation', 2),
          'the daemon is asked for a key from that rotation')
  FROM store.kek k WHERE k.key_id = secret('live')::uuid AND k.rotation = 2;
SELECT is((api_call('secret_version_create',
                 request('s', data => 'x', extra => key_of(secret('s'), k.id::text)),
                 key => access_key(secret('s'), k.id::text), data => 'x')).body ->> 'need', need,
          format('and once more if it comes from %s', title))
  FROM (VALUES ('an older one', 1, 'key'), ('that one: no', 2, NULL)) AS t(title, rotation, need)
  JOIN store.kek k ON k.key_id = secret('live')::uuid AND k.rotation = t.rotation;

SELECT make_key('first', caller => 'key guest'),
       make_secret('first-secret', jsonb_build_object('key_id', secret('first')), 'guest');
SELECT is((api_call('secret_version_create', request('first-secret', data => 'x'), 'guest',
                 data => 'x')).body ->> 'need', 'key',
          'a project without a key-encryption key of its own needs none for that');
SELECT make_secret('plain', caller => 'guest');
SELECT is((api_call('secret_version_create', request('plain', data => 'x'), 'guest',
                    data => 'x')).body ->> 'need', 'kek',
          'but for a secret that names no key');

-- Rights: those to the secret are enough.
SELECT is((call('secret_version_access', 's', '1', caller => 'only access')).status, 200,
          'who may read the secret may read what is under a key');
SELECT is((call('secret_version_create', 's', data => 'x', caller => 'only create')).status, 200,
          'who may make versions may make them there');

-- States ------------------------------------------------------------------------------------------

CREATE FUNCTION test.unusable(key text) RETURNS text LANGUAGE sql AS $$
    SELECT format('{"help_message":"key %s is in an invalid state","message":"precondition is not '
                  'respected",'
                  '"precondition":"resource_not_usable","type":"precondition_failed"}',
                      test.secret(key))
$$;
CREATE FUNCTION test.refuses_both(title text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT test.refuses('secret_version_access', '412 precondition_failed resource_not_usable',
                        title, 's', revision)
      FROM unnest('{1,latest,latest_enabled}'::text[]) AS revision
    UNION ALL
    SELECT test.refuses('secret_version_access_by_path',
                        '412 precondition_failed resource_not_usable', title, NULL, '1',
                        query => jsonb_build_object('secret_name', 's', 'project_id',
                                                    test.project('main')))
    UNION ALL
    SELECT test.refuses('secret_version_create', '412 precondition_failed resource_not_usable',
                        title, 's', data => 'x')
    UNION ALL
    SELECT is((test.call('secret_version_access', 's', '1')).text, test.unusable('live'),
              'in words that clients know')
    UNION ALL
    SELECT is((test.call('secret_version_create', 's', data => 'x')).text, test.unusable('live'),
              'for either')
$$;
SELECT given_key('key_disable', 'live');
SELECT refuses_both('what is under a disabled key');
SELECT given_key('key_delete', 'live');
SELECT refuses_both('what is under a key that is scheduled for deletion');
SELECT refuses('secret_version_access', '404 not_found secret_version',
               'a version that is not there, whatever the key', 's', '99');
SELECT is((call('secret_get', 's')).body ->> 'key_id', secret('live'),
          'what there is can be seen all the while');
SELECT is((call('secret_version_list', 's')).status, 200, 'with its versions');
SELECT given_key('key_restore', 'live'), given_key('key_enable', 'live');
SELECT is((call('secret_version_access', 's', '1')).status, 200,
          'it is read again when the key is back');

-- One that is read once is not used up by a refusal.
SELECT make_secret('once',
                   '{"ephemeral_policy": {"expires_once_accessed": true, "action": "delete"}}'
                           || jsonb_build_object('key_id', secret('live'))), make_version('once'),
                               given_key('key_disable', 'live');
SELECT refuses('secret_version_access', '412 precondition_failed resource_not_usable',
               'what can be read once', 'once', '1');
SELECT given_key('key_enable', 'live');
SELECT is(brief(call('secret_version_access', 'once', '1')), answer, title)
  FROM (VALUES ('200', 'nor is it used up by that'),
        ('404 not_found secret_version', 'but by being read')) AS t(answer, title);

-- The purge ---------------------------------------------------------------------------------------

SELECT count(*) AS under FROM store.dek d JOIN store.kek k ON k.id = d.kek_id
 WHERE k.key_id = secret('live')::uuid \gset
SELECT count(*) AS deks FROM store.dek \gset
SELECT is(rule.managed_key_delete(stored_key('live')), :under::bigint,
          'rule.managed_key_delete gives the number of versions under a key');
SELECT is_empty($$SELECT FROM store.managed_key WHERE id = secret('live')::uuid
                  UNION ALL SELECT FROM store.kek WHERE key_id = secret('live')::uuid
                  UNION ALL SELECT FROM store.dek WHERE secret_id = secret('s')::uuid$$,
                'the key is gone, with its rotations and what was under them');
SELECT is(count(*), :deks - :under::bigint, 'and nothing else') FROM store.dek;
SELECT refuses_both('what was under a key that has been purged');
SELECT is((call('secret_get', 's')).body @> jsonb_build_object('key_id', secret('live'),
    'version_count', 4), true,
          'the secret names it still, and has its versions');
SELECT is((call('secret_version_access', 'ready', '1')).status, 200,
          'other secrets are read as before');
SELECT is(brief(call('secret_delete', 's')), '204', 'it can be deleted');

-- Refused -----------------------------------------------------------------------------------------

SELECT is(raised(format('SELECT rule.managed_key_require_state(stored_key(%L), VARIADIC %L)', key,
                        allowed)),
          CASE WHEN fine THEN 'nothing' ELSE format('SM412 412 %s', unusable(key)) END,
          format('rule.managed_key_require_state %s for %s', allowed, key))
  FROM (VALUES ('guarded', '{enabled}', true), ('disabled', '{enabled}', false),
        ('disabled', '{enabled,disabled}', true),
               ('doomed', '{enabled,disabled}', false),
                   ('doomed', '{scheduled_for_deletion}', true)) AS t(key, allowed, fine);

SELECT finish();
ROLLBACK;
