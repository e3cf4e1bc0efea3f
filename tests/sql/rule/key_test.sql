-- The access key of a secret: when a call is stopped to be made again with it.
BEGIN;
\ir ../setup.sql

SELECT kek_id AS kek FROM store.dek WHERE secret_id = secret('ready')::uuid \gset

-- What an API function answers to a key that is said to be derived for a secret from a
-- key-encryption key.
CREATE FUNCTION test.answered(endpoint text, key bytea DEFAULT NULL, secret_id text DEFAULT NULL,
                              kek_id text DEFAULT NULL) RETURNS test.answer LANGUAGE sql AS $$
    SELECT test.api_call(endpoint, test.request('ready', '1', data => 'x',
                                             extra => test.key_of(secret_id, kek_id)),
                      key => key, data => 'x')
$$;

SELECT is((answered(endpoint)).text,
          format('{"need":"key","secret_id":"%s","project_id":"%s","kek_id":"%s",'
                 '"root_id":"0123456789abcdef","key_id":null,"rotation":null,"wrapped":"%s"}',
                 secret('ready'), project('main'), :'kek', repeat('A', 80)),
          endpoint || ' without a key asks for it (SM001)')
  FROM unnest('{secret_version_access,secret_version_create}'::text[]) AS endpoint;
SELECT is((answered(endpoint, key, secret_id, kek_id)).body ->> 'need', need,
          format('%s with %s', endpoint, title))
  FROM unnest('{secret_version_access,secret_version_create}'::text[]) AS endpoint,
       (VALUES ('a key of the secret and its key-encryption key',
                access_key(secret('ready'), :'kek'),
                secret('ready'), :'kek', NULL),
               ('no key, though it is said that there is one', NULL, secret('ready'), :'kek',
                'key'),
               ('a key of which nothing is said', access_key(secret('ready'), :'kek'), NULL, NULL,
                'key'),
               ('the key of another secret', access_key(secret('locked'), :'kek'), secret('locked'),
                :'kek',
                'key'),
               ('a key from another key-encryption key', access_key(secret('ready'), :'kek'),
                secret('ready'),
                gen_random_uuid()::text, 'key')
       ) AS t(title, key, secret_id, kek_id, need);

-- The daemon says that what it was given does not open.
CREATE FUNCTION test.closed(kek_id text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_set(test.key_of(test.secret('ready'), kek_id), '{key,opened}', 'false')
$$;
SELECT everything() AS before \gset
SELECT is(brief(api_call(endpoint, request('ready', '1', data => 'x', extra => closed(:'kek')),
                      data => 'x')),
          '500 internal', endpoint || ' with a key that does not open is refused (SM101)')
  FROM unnest('{secret_version_access,secret_version_create}'::text[]) AS endpoint;
SELECT is(audited(), 'secret_version_create 500 internal by owner on ready/1 in main',
          'it is audited');
SELECT is(everything(), :'before', 'and nothing has happened');
SELECT is((api_call('secret_version_access',
                 request('ready', '1', extra => closed(gen_random_uuid()::text)))).body ->> 'need',
          'key', 'another key that does not open is none that is asked for');

SELECT is(raised($$SELECT rule.key_challenge(stored('ready'), gen_random_uuid(), '{}')$$),
          'SM001 0 {"need":"alone"}',
          'a call whose key-encryption key has been purged meanwhile is made again (SM001)');

-- A project without a key-encryption key, and one with a newer key-encryption key.
SELECT make_secret('first', caller => 'guest');
SELECT is((api_call('secret_version_create', request('first', data => 'x'), data => 'x')).text,
          format('{"need":"kek","secret_id":"%s","project_id":"%s",'
                 '"active_root_id":"0123456789abcdef"}', secret('first'), project('other')),
          'the first version of a project asks for a key-encryption key (SM001)');
SELECT is((stored('first')).last_revision, 0, 'and nothing has happened');

UPDATE store.kek SET active = false WHERE id = :'kek';
SELECT make_version('ready');
SELECT results_eq($$SELECT revision,
                  kek_id = (SELECT id FROM store.kek WHERE project_id = project('main')
                                                  AND active) FROM store.dek
                     WHERE secret_id = secret('ready')::uuid
                     ORDER BY revision$$, $$VALUES (1, false), (2, false), (3, true)$$,
                  'a new version is under the active key-encryption key');
SELECT is((call('secret_version_access', 'ready', revision)).status, 200,
          format('revision %s is read under its own', revision))
              FROM unnest('{1,3}'::text[]) AS revision;

SELECT finish();
ROLLBACK;
