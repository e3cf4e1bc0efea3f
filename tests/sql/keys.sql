-- Managed keys for a test that needs them, included after setup.sql:
--
-- callers         keeper       may do everything with keys and secrets in acme; the default project
-- is main
-- key guest    may do everything with keys in project other of acme, and nothing elsewhere
--                     key stranger may do everything with keys in rival
--                     only key ACTION, all but key ACTION
-- have the permission set of one action (read create write delete restore encrypt
--                                  decrypt) on keys in acme, or all except those that give it
-- keys            live, guarded (protected), disabled and doomed (scheduled for deletion) in
-- project main, alien in the
--                     other organization

-- A request of a path that names a key.
CREATE FUNCTION test.at_key(key text, extra jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('path',
                              jsonb_strip_nulls(jsonb_build_object('key_id', test.secret(key))))
                                  || extra
$$;

CREATE FUNCTION test.call_key(endpoint text, key text DEFAULT NULL, body jsonb DEFAULT '{}',
                              query jsonb DEFAULT '{}',
                              caller text DEFAULT 'keeper', extra jsonb DEFAULT '{}')
RETURNS test.answer LANGUAGE sql AS $$
    SELECT test.call(endpoint, body => body, query => query, caller => caller,
                     extra => test.at_key(key, extra))
$$;

CREATE FUNCTION test.make_key(name text, body jsonb DEFAULT '{}',
                              caller text DEFAULT 'keeper') RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_answer CONSTANT test.answer := test.call_key('key_create', caller => caller,
                                                   body => jsonb_build_object('name', name)
        || '{"usage": {"symmetric_encryption": "aes_256_gcm"}, "unprotected": true}' || body);
BEGIN
    ASSERT v_answer.status = 200, v_answer.text;
END
$$;

-- A call that only prepares what is tested.
CREATE FUNCTION test.given_key(endpoint text, key text,
                               body jsonb DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_answer CONSTANT test.answer := test.call_key(endpoint, key, body);
BEGIN
    ASSERT v_answer.status IN (200, 204), v_answer.text;
END
$$;

CREATE FUNCTION test.stored_key(key text) RETURNS store.managed_key LANGUAGE sql AS $$
    SELECT * FROM store.managed_key k WHERE k.id = test.secret(key)::uuid
$$;

CREATE FUNCTION test.backdate_key(key text) RETURNS void LANGUAGE sql AS $$
    UPDATE store.managed_key SET created_at = test.long_ago(), updated_at = test.long_ago(),
        rotated_at = test.long_ago()
     WHERE id = test.secret(key)::uuid;
$$;

-- What the daemon says of a value that it keeps to itself.
CREATE FUNCTION test.cut(name text, size bigint, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql
    AS $$
    SELECT jsonb_build_object(name, jsonb_build_object('state', 'given', 'size', size) || more)
$$;

CREATE FUNCTION test.refuses_key(endpoint text, expected text, title text, key text DEFAULT NULL,
                                 body jsonb DEFAULT '{}',
                                 query jsonb DEFAULT '{}', caller text DEFAULT 'keeper',
                                     extra jsonb DEFAULT '{}')
RETURNS text LANGUAGE sql AS $$
    SELECT test.refuses(endpoint, expected, title, body => body, query => query, caller => caller,
                        extra => test.at_key(key, extra))
$$;

-- Key "live" is not there for other organizations and in other regions, and is refused to who lacks
-- the right.
CREATE FUNCTION test.refuses_unprivileged_key(endpoint text, action text, extra jsonb DEFAULT '{}')
RETURNS SETOF text LANGUAGE sql AS $$
    SELECT test.refuses_key(endpoint, expected, title, key, caller => caller,
                            extra => refuses_unprivileged_key.extra || t.extra)
      FROM (VALUES
               ('401 denied_authentication not_found', 'an unknown API key', 'live', 'unknown',
                '{}'::jsonb),
               ('401 denied_authentication not_found', 'a revoked API key', 'live', 'revoked',
                '{}'),
               ('401 denied_authentication expired', 'an expired API key', 'live', 'expired', '{}'),
               ('400 invalid_arguments key_id format', 'what is no UUID', 'live/', 'keeper', '{}'),
               ('404 not_found key', 'a key that is not there', gen_random_uuid()::text, 'keeper',
                '{}'),
               ('404 not_found key', 'the id of a secret', 'ready', 'keeper', '{}'),
               ('404 not_found key', 'a key of another region', 'live', 'keeper',
                '{"region": "nl-ams"}'),
               ('404 not_found key', 'the key of another organization', 'alien', 'keeper', '{}'),
               ('404 not_found key', 'a caller of another organization', 'live', 'key stranger',
                '{}'),
               ('403 permissions_denied ' || action || ' key',
                'a caller with rights in another project', 'live', 'key guest', '{}'),
               ('403 permissions_denied ' || action || ' key',
                'a caller with all rights to secrets', 'live', 'owner', '{}'),
               ('403 permissions_denied ' || action || ' key',
                'a caller with all rights but the one', 'live',
                'all but key ' || action, '{}')
           ) AS t(expected, title, key, caller, extra)
$$;

-- What the state of a key allows: each of the states in the order of the words before the slash.
CREATE FUNCTION test.follows_state(endpoint text, live text, disabled text, doomed text,
                                   extra jsonb DEFAULT '{}')
RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    v_state record;
    v_said  text;
BEGIN
    FOR v_state IN
        SELECT * FROM (VALUES ('live', live), ('disabled', disabled), ('doomed', doomed)) AS t(key,
            expected)
    LOOP
        IF v_state.expected LIKE '2%' THEN
            BEGIN
                v_said := test.brief(test.call_key(endpoint, v_state.key, extra => extra));
                RAISE EXCEPTION USING ERRCODE = 'TEST0';
            EXCEPTION
                WHEN SQLSTATE 'TEST0' THEN      -- so that it is as it was for what is tested next
                    RETURN NEXT is(v_said, v_state.expected,
                                   format('%s of a key that is %s', endpoint, v_state.key));
            END;
        ELSE
            RETURN NEXT test.refuses_key(endpoint, v_state.expected,
                                         'a key that is ' || v_state.key, v_state.key,
                                             extra => extra);
        END IF;
    END LOOP;
END
$$;

DO $$
DECLARE
    v_action text;
    v_sets   text[];
    v_name   text;
BEGIN
    PERFORM test.make_caller('keeper', 'acme', '{KeyManagerFullAccess,SecretManagerFullAccess}',
                             NULL, 'main');
    PERFORM test.make_caller('key guest', 'acme', '{KeyManagerFullAccess}', '{other}', 'other');
    PERFORM test.make_caller('key stranger', 'rival', '{KeyManagerFullAccess}', NULL, 'foreign');
    FOREACH v_action IN ARRAY '{read,create,write,delete,restore,encrypt,decrypt}'::text[] LOOP
        v_sets := rule.caller_permission_sets(v_action, 'key');
        PERFORM test.make_caller('only key ' || v_action, 'acme', v_sets[1:1], NULL, 'main');
        PERFORM test.make_caller('all but key ' || v_action, 'acme',
                                 ARRAY(SELECT
                                       unnest(rule.caller_permission_sets_known()) EXCEPT SELECT
                                           unnest(v_sets)), NULL, 'main');
    END LOOP;

    FOREACH v_name IN ARRAY '{live,guarded,disabled,doomed}'::text[] LOOP
        PERFORM test.make_key(v_name);
    END LOOP;
    PERFORM test.given_key('key_protect', 'guarded');
    PERFORM test.given_key('key_disable', 'disabled');
    PERFORM test.given_key('key_delete', 'doomed');
    PERFORM test.make_key('alien', caller => 'key stranger');
END
$$;
