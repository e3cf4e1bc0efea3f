-- What the state of a secret allows: the table of the contract, cell by cell.
BEGIN;
\ir ../setup.sql

-- A new secret, with one version, in a state.
CREATE FUNCTION test.make_secret_in(state text, name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM make_secret(name), make_version(name);
    CASE state
        WHEN 'ready' THEN NULL;
        WHEN 'protected' THEN PERFORM given('secret_protect', name);
        WHEN 'scheduled' THEN PERFORM given('secret_delete', name);
        WHEN 'locked' THEN PERFORM operator.secret_lock(secret(name)::uuid);
        WHEN 'scheduled and locked' THEN PERFORM given('secret_delete', name),
            operator.secret_lock(secret(name)::uuid);
        WHEN 'managed' THEN PERFORM operator.secret_manage(secret(name)::uuid, 'product');
    END CASE;
END
$$;

-- What an operation answers on a new secret in a state: its status, and what it lacks.
CREATE FUNCTION test.cell(operation text, state text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_name   CONSTANT text := replace(operation || '-in-' || state, ' ', '-');
    v_answer test.answer;
BEGIN
    PERFORM test.make_secret_in(state, v_name);
    v_answer := CASE
        WHEN operation = 'secret_version_create' THEN call(operation, v_name, data => 'x')
        WHEN operation = 'secret_version_restore' THEN call(operation, v_name, '1')
        WHEN operation = 'secret_version_access_by_path' THEN
            call(operation, revision => '1',
                 query => jsonb_build_object('secret_name', v_name, 'project_id', project('main')))
        WHEN operation ~ '^secret_version_(get|access|update|enable|disable|delete)$' THEN
            call(operation, v_name, '1')
        WHEN operation = 'secret_add_owner'
            THEN call(operation, v_name, body => '{"product": "s2s_vpn"}')
        WHEN operation = 'secret_list' THEN
            call(operation, query => jsonb_build_object('name', v_name, 'scheduled_for_deletion',
                                                        state LIKE 'scheduled%'))
        ELSE call(operation, v_name)
    END;
    IF operation = 'secret_list' AND v_answer.body ->> 'total_count' <> '1' THEN
        RETURN 'not listed';
    END IF;
    RETURN concat_ws(' ', v_answer.status,
                     replace(v_answer.body ->> 'precondition', 'resource_not_usable', 'not usable'),
                     v_answer.body #>> '{details,0,action}');
END
$$;

CREATE TEMP TABLE state (operation text, ready text, protected text, scheduled text, locked text,
                         twice text, managed text);
INSERT INTO state VALUES
    -- ready             protected                 scheduled         locked  twice  managed
    ('secret_get',                    '200',            '200',                    '200',
     '200', '200', '200'),
    ('secret_list',                   '200',            '200',                    '200',
     '200', '200', '200'),
    ('secret_version_list',           '200',            '200',                    '200',
     '200', '200', '200'),
    ('secret_version_get',            '200',            '200',                    '200',
     '200', '200', '200'),
    ('secret_update',                 '200',            '200',                    '412 not usable',
     '423', '423', '403 write'),
    ('secret_delete',                 '204',            '412 protected_resource', '412 not usable',
     '423', '423', '403 delete'),
    ('secret_protect',                '200',            '200',                    '412 not usable',
     '423', '423', '403 write'),
    ('secret_unprotect',              '200',            '200',                    '412 not usable',
     '423', '423', '403 write'),
    ('secret_restore',                '412 not usable', '412 not usable',         '200',
     '423', '423', '403 restore'),
    ('secret_add_owner',              '204',            '204',                    '412 not usable',
     '423', '423', '403 write'),
    ('secret_version_create',         '200',            '200',                    '412 not usable',
     '423', '423', '403 create'),
    ('secret_version_update',         '200',            '200',                    '412 not usable',
     '423', '423', '403 write'),
    ('secret_version_enable',         '200',            '200',                    '412 not usable',
     '423', '423', '403 write'),
    ('secret_version_disable',        '200',            '200',                    '412 not usable',
     '423', '423', '403 write'),
    ('secret_version_delete',         '204',            '204',                    '412 not usable',
     '423', '423', '403 delete'),
    ('secret_version_restore',        '412 not usable', '412 not usable',         '412 not usable',
     '423', '423', '403 restore'),
    ('secret_version_access',         '200',            '200',                    '412 not usable',
     '423', '423', '200'),
    ('secret_version_access_by_path', '200',            '200',                    '404',
     '423', '404', '200');

SELECT is(cell(operation, state), expected,
          format('%s of a secret that is %s answers %s', operation, state, expected))
  FROM state,
       LATERAL (VALUES ('ready', ready), ('protected', protected), ('scheduled', scheduled),
                ('locked', locked),
                       ('scheduled and locked', twice), ('managed', managed)) AS t(state, expected);

SELECT is_empty($$SELECT proname FROM pg_proc
                   WHERE pronamespace = 'endpoint'::regnamespace
                     AND NOT starts_with(proname, 'key_')
                     AND proname NOT IN ('secret_create', 'secret_browse', 'secret_type_list',
                                         'tag_list',
                                         'audit_event_list', 'change_list', 'algorithm_list')
                  EXCEPT SELECT operation FROM state$$,
                'every endpoint that is about one secret is in the table');

-- Deleting -----------------------------------------------------------------------

SELECT count(*) AS keys FROM store.dek \gset
SELECT rule.secret_delete(secret('ready')::uuid);
SELECT is_empty($$SELECT FROM store.secret WHERE id = secret('ready')::uuid
                  UNION ALL SELECT FROM store.version WHERE secret_id = secret('ready')::uuid
                  UNION ALL SELECT FROM store.dek WHERE secret_id = secret('ready')::uuid$$,
                'rule.secret_delete removes a secret with its versions and their keys');
SELECT is(count(*), :keys - 1::bigint, 'and no other') FROM store.dek;

SELECT finish();
ROLLBACK;
