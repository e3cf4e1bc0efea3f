-- The state tables of secrets and versions: each operation in each state.
BEGIN;
\ir setup.sql

-- A secret in that state, with a version in each.
CREATE FUNCTION test.make_in_state(name text, state text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM test.make_all_states(name);
    CASE state
    WHEN 'protected' THEN PERFORM test.given('secret_protect', name);
    WHEN 'scheduled' THEN PERFORM test.given('secret_delete', name);
    WHEN 'locked' THEN PERFORM operator.secret_lock(test.secret(name)::uuid);
    ELSE PERFORM 1;
    END CASE;
END
$$;

-- The answer in a few words, and whether a refusal has changed anything.
CREATE FUNCTION test.answered(endpoint text, revision text, body jsonb, data bytea, name text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_before CONSTANT text := test.everything();
    v_answer CONSTANT test.answer := test.call(endpoint, name, revision, body, '{}', data);
BEGIN
    RETURN test.brief(v_answer)
        || CASE WHEN v_answer.status >= 400 AND test.everything() <> v_before
           THEN ', but something has changed' ELSE '' END;
END
$$;

CREATE FUNCTION test.words(cell text) RETURNS text LANGUAGE sql AS $$
    SELECT CASE cell WHEN 'unusable' THEN '412 precondition_failed resource_not_usable'
                     WHEN 'protected' THEN '412 precondition_failed protected_resource'
                     WHEN 'locked' THEN '423 locked secret' ELSE cell END
$$;

-- Secrets ------------------------------------------------------------------------------------

CREATE TABLE test.cell (endpoint text, revision text, body jsonb, data bytea,
                        ready text, protected text, scheduled text, locked text);
INSERT INTO test.cell VALUES
    ('secret_get', NULL, '{}', NULL, '200', '200', '200', '200'),
    ('secret_version_list', NULL, '{}', NULL, '200', '200', '200', '200'),
    ('secret_version_get', '1', '{}', NULL, '200', '200', '200', '200'),
    ('secret_update', NULL, '{"description": "x"}', NULL, '200', '200', 'unusable', 'locked'),
    ('secret_delete', NULL, '{}', NULL, '204', 'protected', 'unusable', 'locked'),
    ('secret_protect', NULL, '{}', NULL, '200', '200', 'unusable', 'locked'),
    ('secret_unprotect', NULL, '{}', NULL, '200', '200', 'unusable', 'locked'),
    ('secret_restore', NULL, '{}', NULL, 'unusable', 'unusable', '200', 'locked'),
    ('secret_version_create', NULL, '{}', 'data', '200', '200', 'unusable', 'locked'),
    ('secret_version_update', '1', '{"description": "x"}', NULL,
     '200', '200', 'unusable', 'locked'),
    ('secret_version_enable', '2', '{}', NULL, '200', '200', 'unusable', 'locked'),
    ('secret_version_disable', '1', '{}', NULL, '200', '200', 'unusable', 'locked'),
    ('secret_version_delete', '1', '{}', NULL, '204', '204', 'unusable', 'locked'),
    ('secret_version_restore', '3', '{}', NULL, '200', '200', 'unusable', 'locked'),
    ('secret_version_access', '1', '{}', NULL, '200', '200', 'unusable', 'locked'),
    ('secret_add_owner', NULL, '{"product": "s2s_vpn"}', NULL, '204', '204', 'unusable', 'locked');

SELECT make_in_state(c.endpoint || '.' || s, s)
  FROM test.cell c, unnest('{ready,protected,scheduled,locked}'::text[]) AS s
\g /dev/null
SELECT is(answered(c.endpoint, c.revision, c.body, c.data, c.endpoint || '.' || s.key),
          words(s.value), format('%s of a secret that is %s', c.endpoint, s.key))
  FROM test.cell c,
       jsonb_each_text(to_jsonb(c) - '{endpoint,revision,body,data}'::text[]) AS s;

-- Versions -----------------------------------------------------------------------------------

CREATE TABLE test.version_cell (endpoint text, body jsonb,
                                enabled text, disabled text, scheduled text);
INSERT INTO test.version_cell VALUES
    ('secret_version_get', '{}', '200', '200', '200'),
    ('secret_version_access', '{}', '200', 'unusable', 'unusable'),
    ('secret_version_update', '{"description": "x"}', '200', '200', 'unusable'),
    ('secret_version_enable', '{}', '200', '200', 'unusable'),
    ('secret_version_disable', '{}', '200', '200', 'unusable'),
    ('secret_version_delete', '{}', '204', '204', 'unusable'),
    ('secret_version_restore', '{}', 'unusable', 'unusable', '200');

SELECT make_in_state(c.endpoint, 'ready') FROM test.version_cell c \g /dev/null
SELECT is(answered(c.endpoint, s.revision, c.body, NULL, c.endpoint), words(s.cell),
          format('%s of version %s', c.endpoint, s.revision))
  FROM test.version_cell c,
       LATERAL (VALUES ('1', c.enabled), ('2', c.disabled), ('3', c.scheduled))
           AS s(revision, cell);

SELECT finish();
ROLLBACK;
