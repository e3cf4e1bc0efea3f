-- What `coffer restore` calls, and what that reads (rule/backup.sql).
BEGIN;
\ir ../setup.sql
\ir ../session.sql
\ir ../keys.sql

-- The lines of a secret, as src/command/command_recover.c prints them, without payloads.
CREATE FUNCTION test.lines(secret text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_agg(line ORDER BY revision)
      FROM (SELECT v.revision, jsonb_build_object(
               'secret_id', s.id, 'path', s.path, 'name', s.name, 'revision', v.revision,
               'status', v.status, 'versions', count(*) OVER (),
               'secret', to_jsonb(s) -
                   '{id,path,name,organization_id,updated_at,time_to_live}'::text[]
                         - '{expires_once_accessed,action}'::text[]
                         || jsonb_build_object('ephemeral_policy', CASE WHEN s.action IS NOT NULL
                            THEN jsonb_build_object(
                                'time_to_live', round(s.time_to_live / 1000000000.0, 9) || 's',
                                'expires_once_accessed', s.expires_once_accessed,
                                'action', s.action) END),
               'version', to_jsonb(v) - '{secret_id,revision,status,updated_at,sealed}'::text[]
                          - 'deletion_requested_at') AS line
              FROM store.secret s JOIN store.version v ON v.secret_id = s.id
             WHERE s.id = test.secret(lines.secret)::uuid) AS lines
$$;

-- Restore as the command does, as the operator: what it answers, or what it raises.
CREATE FUNCTION test.restore(lines jsonb, data bytea[] DEFAULT '{value}',
                             older boolean DEFAULT NULL,
                             reason text DEFAULT 'a test', opened boolean DEFAULT true)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_document jsonb := jsonb_build_object('versions', lines);
    v_answer   jsonb;
    v_key      bytea;
    v_hint     text;
BEGIN
    FOR i IN 1..4 LOOP
        SET LOCAL SESSION AUTHORIZATION coffer_operator;
        v_answer := operator.secret_restore(v_document, v_key,
                                            CASE WHEN v_key IS NOT NULL THEN data END, reason,
                                            older);
        RESET SESSION AUTHORIZATION;
        EXIT WHEN NOT v_answer ? 'need';
        IF v_answer ->> 'need' = 'kek' THEN
            PERFORM daemon.kek_keep((v_answer ->> 'project_id')::uuid, gen_random_uuid(),
                                    '0123456789abcdef', decode(repeat('00', 60), 'hex'));
        ELSE
            v_document := v_document || test.key_of(v_answer ->> 'secret_id',
                                                    v_answer ->> 'kek_id');
            IF opened THEN
                v_key := test.access_key(v_answer ->> 'secret_id', v_answer ->> 'kek_id');
            ELSE
                v_document := jsonb_set(v_document, '{key,opened}', 'false');
            END IF;
        END IF;
    END LOOP;
    RETURN concat(v_answer ->> 'revisions', v_answer ->> 'expired');
EXCEPTION
    WHEN SQLSTATE 'SM000' THEN
        GET STACKED DIAGNOSTICS v_hint = PG_EXCEPTION_HINT;
        RETURN concat_ws(' ', SQLSTATE, SQLERRM, '/', v_hint);
END
$$;

-- A secret with all that a secret may have, and three versions.
SELECT make_key('master') \g /dev/null
SELECT make_secret('full', jsonb_build_object(
    'type', 'key_value', 'path', '/pa/th', 'description', 'desc', 'tags', '["b", "a"]'::jsonb,
    'protected', true, 'key_id', secret('master'), 'ephemeral_policy',
    '{"time_to_live": "3600.5s", "expires_once_accessed": true, "action": "disable"}'::jsonb),
    'keeper') \g /dev/null
SELECT make_version('full', format('{"n":%s}', n), jsonb_build_object('description', n::text),
                    'keeper')
  FROM generate_series(1, 3) AS n \g /dev/null
UPDATE store.version SET status = 'disabled' WHERE secret_id = secret('full')::uuid
    AND revision = 2;
UPDATE store.secret SET used_by = '{edge_services}', managed_by = 'edge_services',
    status = 'locked', policy_origin = 'replaced' WHERE id = secret('full')::uuid;
SELECT backdate('full') \g /dev/null
CREATE TABLE test.was AS SELECT lines('full') AS lines;
CREATE TABLE test.payloads AS
    SELECT array_agg(convert_to(format('{"n":%s}', n), 'UTF8') ORDER BY n) AS data
      FROM generate_series(1, 3) AS n;

SELECT alike(restore(lines, data),
             'SM900 secret ' || secret('full') || ' is here, and live / write an older value %',
             'operator.secret_restore refuses a secret that is live (SM900)')
  FROM test.was, test.payloads;
UPDATE store.secret SET deletion_requested_at = now() WHERE id = secret('full')::uuid;
SELECT alike(restore(lines, data),
             'SM900 secret ' || secret('full') || ' is here, and scheduled for deletion / %',
             'and one that is scheduled for deletion (SM900)')
  FROM test.was, test.payloads;
SELECT rule.secret_delete(secret('full')::uuid) \g /dev/null

SELECT is(restore(lines, data), '[1, 2, 3][]', 'it restores a secret that was purged')
  FROM test.was, test.payloads;
SELECT is(audited(), 'operator.secret_restore 200 by coffer_operator on full in main',
          'with an audit row');
SELECT is(detail('operator.secret_restore'),
          '{"reason": "a test", "revisions": [1, 2, 3], "expired": [], "last_revision": 3}',
          'which has the reason and the versions');
SELECT is(lines('full'), lines, 'it is as it was: type, tags, description, protection, policy, key')
  FROM test.was;
SELECT is((stored('full')).organization_id, organization('acme'), 'of its organization');
SELECT is((stored('full')).created_at, long_ago(), 'and as old');
SELECT ok((stored('full')).updated_at > now(), 'but changed now');
UPDATE store.secret SET status = 'ready', managed_by = NULL WHERE id = secret('full')::uuid;
SELECT is((call('secret_version_access', 'full', '3', caller => 'keeper')).body ->> 'data',
          'eyJuIjozfQ==', 'its value can be read');
SELECT is((SELECT count(*) FROM store.dek d JOIN store.kek k ON k.id = d.kek_id
            WHERE d.secret_id = secret('full')::uuid AND k.key_id = secret('master')::uuid),
                3::bigint,
          'and is under its managed key');

-- Some versions, and what the audit knows.
SELECT rule.secret_delete(secret('full')::uuid) \g /dev/null
CREATE FUNCTION test.first_of(lines jsonb, count integer, members jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
    SELECT jsonb_agg(line || jsonb_build_object('versions', count) || members ORDER BY place)
      FROM jsonb_array_elements(lines) WITH ORDINALITY AS t(line, place) WHERE place <= count
$$;
SELECT is(restore(first_of(lines, 2), data[1:2]),
          format('SM900 the audit knows revision 3 of secret %s, and the document ends with 2 / '
                 'take a newer backup, or restore the older value with --older', secret('full')),
          'it refuses a document that is older than the newest version (SM900)')
  FROM test.was, test.payloads;
SELECT is(restore(first_of(lines, 2), data[1:2], true), '[1, 2][]', 'unless that is wanted')
  FROM test.was, test.payloads;
SELECT is((stored('full')).last_revision, 3, 'no revision is given twice');
SELECT is(auditor.secret_last_revision(secret('full')::uuid), 3,
          'auditor.secret_last_revision knows the newest version that there ever was');
SELECT is(auditor.secret_last_revision(gen_random_uuid()), NULL::integer, 'and of others none');
SELECT rule.secret_delete(secret('full')::uuid) \g /dev/null

-- Refusals. Each leaves nothing.
CREATE FUNCTION test.with_secret(lines jsonb, members jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_agg(line || jsonb_build_object('secret', line -> 'secret' || members)
                     ORDER BY place)
      FROM jsonb_array_elements(lines) WITH ORDINALITY AS t(line, place)
$$;
CREATE FUNCTION test.with_version(lines jsonb, members jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_agg(line || jsonb_build_object('version', line -> 'version' || members)
                     ORDER BY place)
      FROM jsonb_array_elements(lines) WITH ORDINALITY AS t(line, place)
$$;
CREATE TABLE test.before AS SELECT everything() AS everything;

SELECT is(restore(with_secret(lines, jsonb_build_object('project_id', long_ago_id)), data),
          format('SM900 project %s of secret %s is not here / operator.project_create() makes one '
                 'of that id', long_ago_id, secret('full')),
          'it refuses a secret of a project that is not here (SM900)')
  FROM test.was, test.payloads, gen_random_uuid() AS long_ago_id;
SELECT is(restore(first_of(lines, 3, '{"name": "ready", "path": "/"}'), data),
          format('SM900 another live secret has the name and path of secret %s / rename that one, '
                 'or give another name in the document', secret('full')),
          'a name that another live secret has (SM900)')
  FROM test.was, test.payloads;
SELECT is(restore(with_secret(lines, jsonb_build_object('key_id', secret('alien'))), data),
          format('SM900 managed key %s of secret %s is not in the project / set key_id to null in '
                 'the document: the key of the project is taken then',
                 secret('alien'), secret('full')),
          'a managed key that is gone, or of another project (SM900)')
  FROM test.was, test.payloads;
SELECT is(restore(with_secret(lines, jsonb_build_object('key_id', secret(key))), data),
          format('SM900 managed key %s of secret %s is not enabled / enable or restore the key, '
                 'or set key_id to null in the document', secret(key), secret('full')),
          format('a managed key that is %s (SM900)', key))
  FROM test.was, test.payloads, unnest('{disabled,doomed}'::text[]) AS key;
SELECT is(restore(lines, data, opened => false),
          format('SM900 no loaded root key unwraps the key of secret %s / load the root keys that '
                 'the daemons have', secret('full')),
          'a key that the command cannot unwrap (SM900)')
  FROM test.was, test.payloads;
SELECT is(restore(lines, ARRAY[data[1], data[2], 'text']),
          format('SM900 revision 3 of secret %s is not of type key_value / give the type that it '
                 'has in the document', secret('full')),
          'a value that is not of the type, of which it says nothing (SM900)')
  FROM test.was, test.payloads;
SELECT is(restore(lines, data, reason => reason), 'SM900 a restore needs a reason / say why',
          'a restore without a reason (SM900)')
  FROM test.was, test.payloads, unnest('{NULL,""," "}'::text[]) AS reason;
SELECT is(restore(document, data),
          'SM900 the document is malformed: ' || fault || ' / pass what `coffer recover` has '
                                                          'printed',
          'a malformed document (SM900): ' || fault)
  FROM test.was, test.payloads, LATERAL (VALUES
    (NULL, 'it has no version'),
    ('[]', 'it has no version'),
    ('{}', 'it has no version'),
    ('[1]', 'it has 1 of  versions of its secret'),
    (lines - 0, 'it has 2 of 3 versions of its secret'),
    (first_of(lines, 3, '{"secret": 1}'),
     'project_id: value is required; type: value is required'),
    (first_of(lines, 3, '{"secret_id": "x"}'), 'secret_id: value must be a valid UUID'),
    (first_of(lines, 3, '{"name": "a b"}'), 'name: value may hold letters, digits and . _ - only'),
    (first_of(lines, 3, '{"path": null}'), 'path: value is required'),
    (with_secret(lines, '{"type": "x"}'),
     'type: value must be one of unknown_type, opaque, certificate, key_value, basic_credentials, '
     'database_credentials, ssh_key'),
    (with_secret(lines, '{"tags": [1]}'), 'tags: value must be a list of strings'),
    (with_secret(lines, '{"ephemeral_policy": {"action": "x", "time_to_live": "0s"}}'),
     'ephemeral_policy.action: value must be one of disable, delete; '
     'ephemeral_policy.time_to_live: value must be from 1s to 31536000s'),
    (with_secret(lines, '{"region": "A"}'), 'region: value must be a region'),
    (with_secret(lines, '{"status": "x"}'), 'status: value must be one of ready, locked'),
    (with_secret(lines, '{"last_revision": "x"}'), 'last_revision: value must be a number'),
    (with_secret(lines, '{"policy_origin": "x"}'),
     'policy_origin: value must be one of creation, replaced, added'),
    (with_secret(lines, '{"used_by": "x"}'), 'used_by: value must be a list of strings'),
    (with_secret(lines, '{"created_at": "x"}'),
     'created_at: value must be a time in RFC 3339 form'),
    (jsonb_set(lines, '{2,secret,tags}', '[]'),
     'its versions differ in what they say of their secret'),
    (jsonb_set(lines, '{2,name}', '"other"'),
     'its versions differ in what they say of their secret'),
    (jsonb_set(lines, '{2,revision}', '"x"'), 'revision: value must be a number from 1'),
    (jsonb_set(lines, '{2,revision}', '2'), 'revision 2 is not after revision 2'),
    (jsonb_set(lines, '{2,data_crc32}', '1'), 'data_crc32: value is not the CRC-32 of the data'),
    (jsonb_set(lines, '{2,data_crc32}', '"x"'),
     'data_crc32: value must be an unsigned 32-bit integer'),
    (first_of(lines, 3, '{"version": 1}'),
     'expires_once_accessed, recoverable: value must be a boolean'),
    (first_of(lines, 3, '{"status": "x"}'),
     'status: value must be one of enabled, disabled, scheduled_for_deletion'),
    (first_of(lines, 3, '{"status": "scheduled_for_deletion"}'),
     'status: value must be one of enabled, disabled, scheduled_for_deletion'),
    (with_version(lines, '{"action": "x"}'), 'action: value must be one of disable, delete'),
    (with_version(lines, '{"recoverable": 1}'),
     'expires_once_accessed, recoverable: value must be a boolean'),
    (with_version(lines, '{"description": 1}'), 'description: value must be a string'),
    (with_version(lines, '{"expires_at": "x"}'),
     'created_at, expires_at: value must be a time in RFC 3339 form'),
    (with_version(lines, '{"created_at": null}'),
     'created_at, expires_at: value must be a time in RFC 3339 form')
  ) AS faults(document, fault);
SELECT is(restore(lines, faulty), 'SM900 the document is malformed: ' || fault
                                  || ' / pass what `coffer recover` has printed', 'payloads: ' ||
                                      fault)
  FROM test.was, test.payloads, LATERAL (VALUES
    (data[1:2], 'each version needs a payload'),
    (ARRAY[data[1], NULL, data[3]], 'each version needs a payload'),
    (ARRAY[data[1], '', data[3]], 'data: value is required')) AS faults(faulty, fault);
SELECT operator.quota_set(organization('acme'), 'secret_version', 2) \g /dev/null
SELECT is(restore(lines, data),
          format('SM900 secret %s has 3 versions, and its quota is 2 / operator.quota_set() '
                 'raises it',
                 secret('full')), 'more versions than the quota allows (SM900)')
  FROM test.was, test.payloads;
SELECT operator.quota_set(organization('acme'), 'secret', 5) \g /dev/null
SELECT is(restore(lines, data),
          'SM900 the organization has 5 secrets already, which is its quota / operator.quota_set() '
          'raises it', 'one more secret than the quota allows (SM900)')
  FROM test.was, test.payloads;
SELECT operator.quota_set(organization('acme'), resource, 100)
  FROM unnest('{secret,secret_version}'::text[]) AS resource \g /dev/null
SAVEPOINT unfit;
SET LOCAL log_parameter_max_length = -1;
SELECT alike(restore(lines, data), 'SM900 log_parameter_max_length is % / nothing may be restored '
                                   '%',
             'a session in which PostgreSQL would log parameters (SM900)')
  FROM test.was, test.payloads;
ROLLBACK TO unfit;
GRANT SELECT ON store.dek TO coffer_auditor;
SELECT alike(restore(lines, data), 'SM900 table store.dek is not as it was deployed% / nothing '
                                   'may %',
             'a database that is not as it was deployed (SM900)')
  FROM test.was, test.payloads;
ROLLBACK TO unfit;
SELECT is(everything(), before.everything, 'nothing of all that has changed anything')
  FROM test.before;

-- What time and states mean.
SELECT is(restore(with_secret(first_of(lines, 1), '{"key_id": null}'), data[1:1], true), '[1][]',
          'without key_id it is under the key of its project')
  FROM test.was, test.payloads;
SELECT is((SELECT count(*) FROM store.dek d JOIN store.kek k ON k.id = d.kek_id
            WHERE d.secret_id = secret('full')::uuid AND k.key_id IS NULL), 1::bigint,
          'as others of the project');
SELECT rule.secret_delete(secret('full')::uuid) \g /dev/null
SELECT is(restore(with_version(lines, '{"expires_at": "2001-02-03T04:05:06Z", "action": "delete",
                                        "expires_once_accessed": false, "recoverable": false}'),
                  data),
          '[][1, 2, 3]', 'versions that a policy has deleted meanwhile are left out')
  FROM test.was, test.payloads;
SELECT rule.secret_delete(secret('full')::uuid) \g /dev/null
SELECT is(restore(with_version(first_of(lines, 3, '{"status": "scheduled_for_deletion"}'),
                               '{"status_to_restore": "disabled"}'), data), '[1, 2, 3][]',
          'versions may be scheduled for deletion')
  FROM test.was, test.payloads;
SELECT is((stored('full', 1)).status, 'scheduled_for_deletion', 'and stay so');
SELECT ok((stored('full', 1)).deletion_requested_at > now(), 'for another time until the purge');
SELECT rule.secret_delete(secret('full')::uuid) \g /dev/null
SELECT is(restore(with_secret(with_version(first_of(lines, 3, '{"status": '
                                                              '"scheduled_for_deletion"}'),
                                           '{"status_to_restore": "disabled"}'),
                              '{"deletion_requested_at": "2001-02-03T04:05:06Z"}'), data),
          '[1, 2, 3][]', 'so may their secret')
  FROM test.was, test.payloads;
SELECT is(concat((stored('full')).deletion_requested_at, (stored('full', 1)).status,
                 (stored('full', 1)).deletion_requested_at), 'disabled', 'then all of it is live');
-- A project whose key no daemon has made yet.
SELECT rule.secret_delete(secret('full')::uuid) \g /dev/null
SELECT is(restore(with_secret(lines, jsonb_build_object('project_id', project('other'),
                                                        'key_id', NULL)), data),
          '[1, 2, 3][]', 'it asks for a key if the project has none')
  FROM test.was, test.payloads;
SELECT is(restore(lines('ready')), 'SM900 secret ' || secret('ready') || ' is here, and live / '
          'write an older value to it as a new version', 'one after the other');

-- Who may.
SELECT throws_ok(format('SET LOCAL SESSION AUTHORIZATION %I; SELECT operator.secret_restore(%L, '
                        'NULL, NULL, %L)', role, '{}', 'why'), '42501', NULL,
                 format('%s may not call it (42501)', role))
  FROM unnest('{coffer_api,coffer_auditor}'::text[]) AS role;

SELECT finish();
ROLLBACK;
