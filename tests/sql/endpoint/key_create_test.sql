-- POST /keys
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- Allowed ----------------------------------------------------------------------

SELECT status, text FROM call_key('key_create', caller => 'only key create',
                                  body => '{"name": "new", '
                                          '"usage": {"symmetric_encryption": "aes_256_gcm"}}') \gset
SELECT is(:status, 200, 'key_create answers 200');
SELECT is(audited(), 'key_create 200 by only key create on new in main', 'it is audited');
SELECT is(:'text', (call_key('key_get', 'new')).text, 'the answer is the key');
SELECT is(:'text'::jsonb - '{id,srn,created_at,updated_at,rotated_at}'::text[],
          format('{"project_id": "%s", "name": "new",
                   "usage": {"symmetric_encryption": "aes_256_gcm"}, "state": "enabled",
                   "rotation_count": 1, "protected": true, "locked": false, "description": null,
                   "tags": [], "rotation_policy": null, "origin": "scaleway_kms",
                   "deletion_requested_at": null, "protection_level": "software",
                   "region": "fr-par"}', project('main'))::jsonb,
          'a usage is enough: the key''s default project, and a default for the rest');
SELECT results_eq($$SELECT created_at, created_at FROM stored_key('new')$$,
                  $$SELECT updated_at, rotated_at FROM stored_key('new')$$,
                  'it is updated and rotated when it is created');
SELECT results_eq($$SELECT rotation, active, root_id, wrapped FROM store.kek
                     WHERE key_id = secret('new')::uuid$$,
                  $$VALUES (1, true, '0123456789abcdef', decode(repeat('00', 60), 'hex'))$$,
                  'its material is kept as its first rotation');

SELECT is((call_key('key_create', body => jsonb_build_object('project_id', project('other')) || '{
              "name": "Full-1._", "usage": {"symmetric_encryption": "aes_256_gcm"},
              "tags": ["b", "a", "b"], "description": "what for", "unprotected": true,
              "origin": "scaleway_kms", "rotation_policy": {"rotation_period": "2592000.000000000s",
              "next_rotation_at": "2999-01-01T00:00:00Z"}}')).body
          - '{id,srn,created_at,updated_at,rotated_at}'::text[],
          format('{"project_id": "%s", "name": "Full-1._",
                   "usage": {"symmetric_encryption": "aes_256_gcm"}, "state": "enabled",
                   "rotation_count": 1, "protected": false, "locked": false,
                   "description": "what for", "tags": ["b", "a", "b"],
                   "rotation_policy": {"rotation_period": "2592000s",
                   "next_rotation_at": "2999-01-01T00:00:00.000000Z"}, "origin": "scaleway_kms",
                   "deletion_requested_at": null, "protection_level": "software",
                   "region": "fr-par"}', project('other'))::jsonb,
          'key_create takes all members');
SELECT is((call_key('key_create',
                    body => '{"usage": {"symmetric_encryption": "aes_256_gcm"}, "name": null,
                              "tags": null, "description": null, "origin": "unknown_origin",
                              "rotation_policy": null, "unheard_of": 1}')).body
          @> '{"name": "", "tags": [], "description": null, "origin": "scaleway_kms", '
             '"rotation_policy": null}', true,
          'key_create takes what clients send to say nothing');
SELECT make_key('turning', '{"rotation_policy": {"rotation_period": "86400s"}}');
SELECT is((stored_key('turning')).next_rotation_at BETWEEN k.created_at + interval '86399 s'
              AND k.created_at + interval '86401 s',
          true, 'the next rotation is one period from now where nothing else is said')
  FROM stored_key('turning') AS k;
SELECT is((call_key('key_create',
                    body => '{"name": "new", '
                            '"usage": {"symmetric_encryption": "aes_256_gcm"}}')).status, 200,
          'a name can be used again');

-- Rounds -----------------------------------------------------------------------

SELECT request(body => '{"name": "rounds", "usage": {"symmetric_encryption": "aes_256_gcm"}}')
    AS request,
       everything() AS before \gset
SELECT body ->> 'key_id' AS key, text FROM api_call('key_create', :'request', 'keeper') \gset
SELECT is(:'text',
          format('{"need":"material","key_id":"%s","project_id":"%s","rotation":1,'
                 '"active_root_id":"0123456789abcdef"}', :'key', project('main')),
          'key_create asks for material for a key that it proposes (SM001)');
SELECT is(everything(), :'before', 'and nothing has happened');
SELECT is((api_call('key_create', :'request'::jsonb || material(secret('live'), gen_random_uuid()),
                 'keeper')).body ->> 'need',
          'material', 'it asks again where a key of that id has come meanwhile');
SELECT is((api_call('key_create',
                    :'request'::jsonb || material(:'key', gen_random_uuid(), 'retired'),
                    'keeper')).body ->> 'need',
          'material', 'and where it is not under the active root key');
SELECT is((api_call('key_create',
                 :'request'::jsonb || material(:'key', gen_random_uuid(), rotation => '2'),
                 'keeper')).body ->> 'need',
          'material', 'or is wrapped for another rotation');
SELECT is((api_call('key_create', :'request'::jsonb || material(:'key', gen_random_uuid()),
                 'keeper')).body ->> 'id', :'key',
          'and makes the key that it has proposed');

-- Refused ----------------------------------------------------------------------

SELECT refuses_key('key_create', '400 invalid_arguments usage required', 'no usage');
SELECT is((call_key('key_create',
                    body => jsonb_build_object('usage',
                                               '{"symmetric_encryption": "aes_256_gcm"}'::jsonb,
                                               'protection_level', level))).body
                                                   ->> 'protection_level',
          'software', 'protection is by software: ' || level)
  FROM unnest('{software,unknown_protection_level}'::text[]) AS level;
SELECT refuses_key('key_create', '400 invalid_arguments protection_level constraint',
                   'protection by hardware',
                   body => '{"usage": {"symmetric_encryption": "aes_256_gcm"}, '
                           '"protection_level": "hsm"}');
SELECT refuses_key('key_create', '400 invalid_arguments protection_level format',
                   'a level that is none',
                   body => '{"usage": {"symmetric_encryption": "aes_256_gcm"}, '
                           '"protection_level": "hard"}');
SELECT is((call_key('key_create',
                    body => '{"usage": {"symmetric_encryption": "aes_256_gcm"}, '
                            '"protection_level": "hsm"}')).text,
          '{"details":[{"argument_name":"protection_level",'
          '"help_message":"hardware protection is not available",'
          '"reason":"constraint"}],"message":"invalid argument(s)","type":"invalid_arguments"}',
          'in the words of the contract');
SELECT refuses_key('key_create', '400 invalid_arguments usage constraint',
                   'a usage ' || usage::text, body => jsonb_build_object('usage', usage))
  FROM (VALUES ('{"asymmetric_encryption": "rsa_oaep_3072_sha256"}'::jsonb),
               ('{"key_encapsulation": "ml_kem_768"}'),
               ('{"symmetric_encryption": "aes_256_gcm", "asymmetric_signing": "ec_p256_sha256"}'),
               ('{"symmetric_encryption": "aes_128"}')) AS t(usage);
SELECT refuses_key('key_create', '400 invalid_arguments usage constraint', 'another usage',
                   body => '{"usage": {"asymmetric_signing": "ec_p256_sha256"}}');
SELECT refuses_key('key_create',
                   '400 invalid_arguments project_id format, name format, usage format, '
                   'description format, tags format, '
                   'rotation_policy.rotation_period constraint, unprotected format, origin '
                   'constraint, protection_level constraint',
                   'arguments that are wrong, all together',
                   body => '{"project_id": "main", "name": "a/b", "usage": 7, "description": {},
                             "tags": [1], "rotation_policy": {"rotation_period": "1s"},
                             "unprotected": "no", "origin": "external",
                             "protection_level": "hsm"}');
SELECT operator.quota_set(organization('acme'), 'key',
                          (SELECT count(*)::integer FROM store.managed_key
                            WHERE organization_id = organization('acme')));
SELECT matches((call_key('key_create',
                         body => '{"usage": {"symmetric_encryption": "aes_256_gcm"}}')).text,
               '^{"details":\[{"current":(\d+),"quota":\1,"resource":"key"}\],'
               '"message":"quota\(s\) exceeded for this resource","type":"quotas_exceeded"}$',
               'key_create refuses one more than the quota, which counts what is scheduled for '
               'deletion (SM4Q3)');
SELECT operator.quota_set(organization('acme'), 'key', 250);
SELECT make_caller('adrift', 'acme', '{KeyManagerFullAccess}');
SELECT refuses_key('key_create', '400 invalid_arguments project_id required, usage required',
                   'no project, when the key has no default one', caller => 'adrift');

-- Unprivileged -----------------------------------------------------------------

\set body '{"usage": {"symmetric_encryption": "aes_256_gcm"}}'
SELECT refuses_without_key('key_create', body => :'body');
SELECT refuses_key('key_create', '403 permissions_denied create key', title, caller => caller,
                   body => :'body'::jsonb
                       || jsonb_strip_nulls(jsonb_build_object('project_id', project)))
  FROM (VALUES ('a caller with all rights but the one', 'all but key create', NULL::uuid),
               ('a caller with all rights to secrets', 'owner', NULL),
               ('a project where the caller has no rights', 'key guest', project('main')),
               ('a project of another organization', 'keeper', project('foreign')),
               ('a project that is not there', 'keeper', gen_random_uuid()))
                   AS t(title, caller, project);

SELECT finish();
ROLLBACK;
