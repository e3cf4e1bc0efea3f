-- The audit row of a call.
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- What is in it ---------------------------------------------------------------------------------

SELECT request('ready', '1', query => '{"page": "1", "unheard_of": "canary"}',
               body => '{"name": "n", "tags": ["t"], "description": "d", "data": "canary", '
                       '"data_crc32": 1,
                         "unheard_of": "canary"}',
               extra => '{"id": "11111111-0000-0000-0000-000000000001",
                          "instance": "22222222-0000-0000-0000-000000000002",
                          "ip": "2001:db8::1", "user_agent": "agent", "unheard_of": "canary"}')
                              AS request \gset
SELECT receipt FROM api_call('secret_version_get', :'request'::jsonb, 'only read') \gset
SELECT results_eq(
    format($$SELECT xid, instance, request_id, database_role, organization_id, ip, user_agent,
           method, region,
                    project_id, secret_id, revision, status, error
               FROM audit.event WHERE id = %s$$, :'receipt'),
    format($$VALUES (pg_current_xact_id()::text::bigint,
                     '22222222-0000-0000-0000-000000000002'::uuid,
                     '11111111-0000-0000-0000-000000000001'::uuid, 'coffer_api',
                         organization('acme'),
                     '2001:db8::1'::inet, 'agent', 'secret_version_get', 'fr-par',
                     project('main'), %L::uuid, 1, 200::smallint, NULL)$$, secret('ready')),
    'an audit row says what was called, from where, about what and with what result');
SELECT results_eq(
    format($$SELECT e.principal_id, e.api_key_id FROM audit.event e WHERE e.id = %s$$, :'receipt'),
    $$SELECT k.principal_id, k.id FROM store.api_key k WHERE k.digest = token('only read')$$,
        'and by whom');
SELECT is(request - 'snapshot',
          format('{"path": {"secret_id": "%s", "revision": "1"}, "query": {"page": ["1"]},
                            "body": {"name": "n", "tags": ["t"], "description": "d"}}',
                                secret('ready'))::jsonb,
          'and with what known arguments, never a payload or its checksum')
  FROM audit.event WHERE id = :receipt;
SELECT is(e.request -> 'snapshot', rule.snapshot_of_secret(organization('acme'),
                                                           secret('ready')::uuid, 1),
          'and what events may show of what it concerned') FROM audit.event e WHERE e.id = :receipt;
SELECT ok(at BETWEEN now() AND clock_timestamp(), 'at the time of the call') FROM audit.event
 WHERE id = :receipt;

SELECT is(rule.audit_request(request(query => query, body => body), NULL, false),
          format('{"path": {}, "query": %s, "body": %s}', query, body)::jsonb,
              'of a query alone, or a body alone, too')
  FROM (VALUES ('{"page": ["1"]}'::jsonb, '{}'::jsonb), ('{}', '{"name": "n"}')) AS t(query, body);

SELECT receipt FROM call('secret_get', 'ready') \gset
SELECT is(request, jsonb_build_object('path', jsonb_build_object('secret_id', secret('ready')),
                                     'snapshot', rule.snapshot(stored('ready'))),
          'a plain call has only its path and what it concerned') FROM audit.event
              WHERE id = :receipt;

SELECT receipt FROM call('secret_update', 'ready', body => '{"description": "of who has no key"}',
                         caller => 'unknown') \gset
SELECT results_eq(format($$SELECT organization_id, principal_id, api_key_id, project_id, request,
                         error
                             FROM audit.event WHERE id = %s$$, :'receipt'),
                  $$VALUES (NULL::uuid, NULL::uuid, NULL::uuid, NULL::uuid, NULL::jsonb,
                            'denied_authentication')$$,
                  'of a caller who is nobody nothing is kept that he has sent');
SELECT receipt FROM call('secret_delete', 'locked') \gset
SELECT is(audited(:receipt), 'secret_delete 423 locked by owner on locked in main',
          'a refusal has its row');

SELECT receipt FROM call_key('key_create',
                             body => '{"name": "n", "usage": {"symmetric_encryption": '
                                     '"aes_256_gcm"},
    "plaintext": "canary", "ciphertext": "canary", "associated_data": "canary", "key_material":
        "canary", "material": "canary"}') \gset
SELECT is(request - 'snapshot',
          '{"path": {}, "query": {}, "body": {"name": "n", "usage": {"symmetric_encryption": '
          '"aes_256_gcm"}}}',
          'nor anything of what the Key Manager is to keep secret, under any name') FROM audit.event
              WHERE id = :receipt;

-- As much as there is room for ------------------------------------------------------------------

-- The bytes of what the audit keeps of a call whose description, like its name and a tag, is so
-- long.
CREATE FUNCTION test.kept(size integer, caller text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_answer CONSTANT test.answer := test.call('secret_update', 'ready', caller => caller,
        body => jsonb_build_object('description', repeat('d', size), 'name', 'short', 'tags',
                                   ARRAY['t'],
                                   'order_by', repeat('o', size), 'after', repeat('a', size)));
BEGIN
    RETURN (SELECT e.request FROM audit.event e WHERE e.id = v_answer.receipt);
END
$$;
SELECT kept(250000, 'only read') AS refused, kept(60000, 'owner') AS done,
       kept(60, 'only read') AS short \gset
SELECT is(:'refused'::jsonb -> 'body',
          jsonb_build_object('description', repeat('d', 128) || '...', 'order_by',
                             repeat('o', 128) || '...',
                             'after', repeat('a', 128) || '...', 'name', 'short', 'tags',
                                 '["t"]'::jsonb),
          'of a refused call the audit keeps the beginning of what is long');
SELECT cmp_ok(pg_column_size(:'refused'::jsonb), '<', 2048, 'which is little');
SELECT is(:'done'::jsonb #>> '{body,description}', repeat('d', 1024) || '...',
          'of one that was carried out more');
SELECT cmp_ok(pg_column_size(:'done'::jsonb), '<', 9000, 'but not all');
SELECT is(:'short'::jsonb #>> '{body,description}', repeat('d', 60), 'and of what is short, all');

SELECT is(rule.audit_bounded(jsonb_object_agg(n, repeat('x', n)), 1024),
          (SELECT jsonb_object_agg(n, repeat('x', n)) FROM generate_series(1, 19) AS n),
          'rule.audit_bounded leaves out the longest') FROM generate_series(1, 64) AS n;
SELECT is(rule.audit_bounded('{"a": "b"}', 1024), '{"a": "b"}', 'and nothing of what is short');
SELECT is(rule.audit_cut(value, 16), expected, 'rule.audit_cut: ' || title)
  FROM (VALUES ('"short"'::jsonb, '"short"'::jsonb, 'nothing is missing'),
               (to_jsonb(repeat('x', 20)), to_jsonb(repeat('x', 16) || '...'), 'a string'),
               ('["a", "b", "c", "d", "e", "f"]', '["a", "b", "c", "d", "e", "..."]', 'a list'),
               ('["01234567890123456789"]', '["01...", "..."]', 'a list of one that is long'),
               ('[[[["01234567890123456789"]]]]', '["[[...", "..."]', 'lists in a list'),
               ('{"a": "01234567890123456789"}', '"{\"a\": \"012345678..."', 'an object'))
                   AS t(value, expected, title);
-- What is cut is shown as any other.
SELECT is(rule.render_event_request(rule.audit_request(request(query => jsonb_build_object('name',
    repeat('n', 9000), 'tags', ARRAY['a', repeat('b', 9000)])),
                                                       NULL, true)) -> 'name' ->> 1, '...',
                                                           'and an event with it can be shown');

-- One a call -----------------------------------------------------------------------------------

SELECT count(*) AS before FROM audit.event \gset
SELECT make_version('ready');
SELECT is(count(*), :before + 1::bigint, 'a call that needed three rounds has one row')
  FROM audit.event;
SELECT results_eq($$SELECT status, receipt
                  FROM api_call('secret_version_access', request('ready', '1'))$$,
                  $$VALUES (0, NULL::bigint)$$, 'a call that has to be made again has no receipt');

-- Its hash -------------------------------------------------------------------------------------

SELECT receipt_hash AS hash, receipt
  FROM api.secret_get(request('ready'), token('owner'), NULL, NULL) \gset
SELECT is(hash, :'hash', 'the receipt has the hash of the row') FROM audit.event
 WHERE id = :receipt;
SELECT is_empty('SELECT id FROM audit.event e WHERE rule.audit_hash(e) <> hash',
                'which can be computed again of every row');

CREATE FUNCTION test.changed(event audit.event, name text) RETURNS audit.event LANGUAGE plpgsql
    AS $$
DECLARE
    v_other CONSTANT jsonb :=
        '{"id": -1, "xid": -1, "epoch": -1, "at": "2001-01-01T00:00:00Z", "ip": "192.0.2.2",
                                "status": 299, "revision": -1, "request": {}}';
BEGIN
    RETURN jsonb_populate_record(event, jsonb_build_object(name, coalesce(v_other -> name,
        CASE WHEN name ~ '(instance|_id)$' THEN '"99999999-0000-0000-0000-000000000009"'::jsonb
            ELSE '"another"' END)));
END
$$;
SELECT isnt(rule.audit_hash(changed(e, a.attname)), e.hash,
            'another ' || a.attname || ' has another hash')
  FROM audit.event e, pg_attribute a WHERE e.id = :receipt AND a.attrelid = 'audit.event'::regclass
   AND a.attnum > 0 AND a.attname <> 'hash';
SELECT isnt(rule.audit_hash(jsonb_populate_record(e, '{"user_agent": "", "error": null}')),
            rule.audit_hash(jsonb_populate_record(e, '{"user_agent": null, "error": ""}')),
            'what moves to the next column has another hash') FROM audit.event e
                WHERE e.id = :receipt;

-- The same in each session: of stored bytes, as clients in UTF8 have always computed it.
CREATE FUNCTION test.hash_with(name text, value text,
                               event audit.event) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_before CONSTANT text := current_setting(name);
    v_hash   text;
BEGIN
    PERFORM set_config(name, value, false);
    v_hash := encode(rule.audit_hash(event), 'hex');
    PERFORM set_config(name, v_before, false);
    RETURN v_hash;
END
$$;
SELECT is(hash_with(name, value,
              (1, 2, 3, '2027-01-01T00:00:00Z', NULL, NULL, U&'zur\00FCck', NULL, NULL, NULL,
               '192.0.2.1', U&'\00C4rger',
               'operator.audit_epoch_begin', NULL, NULL, NULL, NULL, 200, NULL,
               jsonb_build_object('reason', U&'zur\00FCck'), NULL)::audit.event),
          '1c17345c96a257dabbfbfdda1f38e1fb3a61bc8571920d3397faa332bb566f09',
          format('the hash of a row is the same with %s = %s', name, value))
  FROM (VALUES ('client_encoding', 'UTF8'), ('client_encoding', 'LATIN1'),
        ('client_encoding', 'WIN1252'),
               ('client_encoding', 'SQL_ASCII'), ('bytea_output', 'escape'),
                   ('DateStyle', 'SQL, DMY'),
               ('IntervalStyle', 'iso_8601'), ('TimeZone', 'Asia/Kolkata'),
                   ('extra_float_digits', '-15'),
               ('standard_conforming_strings', 'off'),
                   ('quote_all_identifiers', 'on')) AS t(name, value);

-- Jobs and operators ----------------------------------------------------------------------------

SELECT rule.audit_write_job('job.x', stored('ready'), 2);
SELECT is(audited(), 'job.x 200 by postgres on ready/2 in main',
          'a job leaves a row with secret and revision, by the role it ran as');
SELECT is(organization_id, organization('acme'), 'in the organization of the secret')
  FROM audit.event
 ORDER BY id DESC LIMIT 1;
SELECT rule.audit_write_job('job.key_x', stored_key('live'), '{"rotation": 2}');
SELECT is(audited(), 'job.key_x 200 by postgres on live in main', 'or with a managed key');
SELECT is((e.organization_id, e.region, e.request), (organization('acme'), 'fr-par'::text,
           jsonb_build_object('rotation', 2, 'snapshot', rule.snapshot(stored_key('live')))),
               'with the detail that there is')
  FROM audit.event e ORDER BY e.id DESC LIMIT 1;
SELECT rule.audit_write_operator('operator.x', organization('acme'), project('other'), NULL);
SELECT is(audited(), 'operator.x 200 by postgres in other', 'so does an operator');

SET LOCAL session_replication_role = replica;
SELECT throws_ok('SELECT rule.audit_write_operator(''operator.x'', NULL, NULL, NULL)', 'SM900',
                 'session_replication_role is replica, and no foreign key is looked after',
                     'but not in a session without foreign keys (SM900)');
SET LOCAL session_replication_role = origin;
SELECT is(rule.audit_bound('2027-03-01'), '2027-03-01T00:00:00Z',
          'the bound of a partition is in UTC');

-- Without it, no answer ------------------------------------------------------------------------

CREATE FUNCTION test.partition() RETURNS text LANGUAGE sql AS $$
    SELECT 'audit.' || rule.audit_partition(date_trunc('month', now() AT TIME ZONE 'UTC')::date)
$$;
CREATE FUNCTION test.raise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;

-- What comes of a read under a trouble, which is then over: the SQLSTATE, or the answer.
CREATE FUNCTION test.read_while(trouble text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE trouble;
    RETURN (test.call('secret_version_access', 'ready', '1')).text;
EXCEPTION
    WHEN OTHERS THEN
        RETURN SQLSTATE;
END
$$;

SELECT is(read_while(trouble), sqlstate, 'there is no value ' || title)
  FROM (VALUES ('REVOKE INSERT ON audit.event FROM coffer_exec', '42501',
                'without the right to insert'),
               ('REVOKE USAGE ON SEQUENCE audit.event_id FROM coffer_exec', '42501',
                'without the right to an id'),
               ('REVOKE SELECT ON audit.epoch FROM coffer_exec', '42501', 'without an epoch'),
               ('DROP TABLE ' || partition(), '23514', 'without a partition'),
               ('ALTER TABLE audit.event DETACH PARTITION ' || partition(), '23514',
                'with the partition detached'),
               ('CREATE TRIGGER stop BEFORE INSERT ON ' || partition()
                || ' FOR EACH ROW EXECUTE FUNCTION test.raise()', 'P0001',
                'with a trigger that raises'),
               ('ALTER TABLE ' || partition() || ' ADD CHECK (status <> 200) NOT VALID', '23514',
                'with a constraint that is not met'),
               ('SET LOCAL transaction_read_only = on', '25006', 'in a read-only transaction'))
                   AS t(trouble, sqlstate, title);
SELECT isnt(read_while('SELECT'), NULL, 'there is one again when it is over');
SELECT is(audited(), 'secret_version_access 200 by owner on ready/1 in main', 'with its row');

SELECT finish();
ROLLBACK;
