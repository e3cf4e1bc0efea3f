-- The API functions: what holds of every call, whatever the endpoint.
BEGIN;
\ir setup.sql

SELECT set_eq($$SELECT proname FROM pg_proc WHERE pronamespace = 'api'::regnamespace$$,
              $$SELECT proname FROM pg_proc WHERE pronamespace = 'endpoint'::regnamespace$$,
              'each endpoint function has its API function, and there is no other');
SELECT is_empty($$SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'api'::regnamespace
                     AND (oidvectortypes(proargtypes), proargnames, prorettype)
                         <> ('jsonb, bytea, bytea, bytea', '{request,token,key,data}'::text[],
                             'api.answer'::regtype)$$, 'all API functions have one signature');

-- An endpoint that does what it is told, and its API function, made by the same template.
CREATE FUNCTION endpoint.obey(caller rule.caller,
                              request jsonb) RETURNS rule.outcome LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE store.secret SET description = 'changed by obey';
    CASE request -> 'body' ->> 'order'
        WHEN 'answer' THEN RETURN rule.outcome(200, '{"a":1}', NULL::uuid);
        WHEN 'most'
            THEN RETURN rule.outcome(200, to_json(repeat('x', 8388608 - 2))::text, NULL::uuid);
        WHEN 'more'
            THEN RETURN rule.outcome(200, to_json(repeat('x', 8388608 - 1))::text, NULL::uuid);
        WHEN 'refuse' THEN PERFORM fail.precondition_failed('resource_not_usable', 'it is told so');
        WHEN 'call again' THEN PERFORM fail.challenge('{"need":"more"}');
        WHEN 'fail' THEN PERFORM 1 / 0;
    END CASE;
END
$$;
COMMENT ON FUNCTION endpoint.obey(rule.caller, jsonb) IS 'Does what it is told.';
GRANT EXECUTE ON FUNCTION endpoint.obey(rule.caller, jsonb) TO coffer_exec;
DO $$
BEGIN
    EXECUTE replace(replace(pg_get_functiondef('api.secret_get'::regproc), 'secret_get', 'obey'),
                    'CREATE OR REPLACE', 'CREATE');
    ALTER FUNCTION api.obey(jsonb, bytea, bytea, bytea) OWNER TO coffer_exec;
    GRANT EXECUTE ON FUNCTION api.obey(jsonb, bytea, bytea, bytea) TO coffer_api;
END
$$;

-- What comes of an order: the answer, how many secrets have changed, how many rows the audit has
-- more. It is taken back.
CREATE FUNCTION test.ordered(what text, caller text DEFAULT 'owner')
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_before CONSTANT bigint := (SELECT count(*) FROM audit.event);
    v_answer test.answer;
BEGIN
    v_answer := api_call('obey', request(body => jsonb_build_object('order', what)), caller);
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = concat_ws(' ',
        v_answer.status, coalesce(v_answer.body ->> 'type', v_answer.text),
        CASE WHEN EXISTS (SELECT FROM store.secret WHERE description = 'changed by obey')
               THEN 'changed' ELSE 'unchanged' END,
        (SELECT count(*) - v_before FROM audit.event),
        CASE WHEN v_answer.receipt IS NULL THEN 'without' ELSE 'with' END, 'receipt');
EXCEPTION
    WHEN SQLSTATE 'ZZ000' THEN
        RETURN SQLERRM;
END
$$;

SELECT is(ordered('answer'), '200 {"a":1} changed 1 with receipt',
          'an answer has its changes, its audit row and its receipt');
SELECT is(ordered('refuse'), '412 precondition_failed unchanged 1 with receipt',
          'a refusal has undone its changes, and has audit row and receipt (SM412)');
SELECT is(left(ordered('most'), 6), '200 "x', 'an answer may have 8 MiB');
SELECT is(ordered('more'), '400 invalid_arguments unchanged 1 with receipt',
          'a larger one is refused, with its changes undone (SM400)');
SELECT is(ordered('call again'), '0 {"need":"more"} unchanged 0 without receipt',
          'a call that has to be made again has done nothing and is not audited (SM001)');
SELECT is(ordered('answer', 'unknown'), '401 denied_authentication unchanged 1 with receipt',
          'who is nobody does not get to the endpoint, and is audited (SM401)');
CREATE FUNCTION test.refused(caller text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM test.call('secret_get', 'ready', caller => refused.caller);
    RETURN (SELECT concat_ws(' ', test.audited(), k.access_key,
                             e.organization_id = test.organization('acme'), e.request)
              FROM audit.event e LEFT JOIN store.api_key k ON k.id = e.api_key_id ORDER BY e.id DESC
             LIMIT 1);
END
$$;
SELECT is(refused(caller),
          format('secret_get 401 denied_authentication by %s on ready in main SCW%s t', caller,
                 upper(substr(md5(caller), 1, 17))),
          'whose key is ' || caller || ' is refused, and the audit names the key')
  FROM unnest('{expired,revoked}'::text[]) AS caller;
SELECT is(refused('unknown'), 'secret_get 401 denied_authentication by coffer_api on ready',
          'but nobody for a key that there is not');
SELECT throws_ok($$SELECT ordered('fail')$$, '22012', NULL,
                 'a fault is no answer: it goes through');

-- Without its row a call has not taken place.
CREATE FUNCTION test.fails() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'disk full' USING ERRCODE = 'disk_full';
END
$$;
CREATE TRIGGER fails BEFORE INSERT ON audit.event FOR EACH ROW EXECUTE FUNCTION test.fails();
SELECT throws_ok($$SELECT call('secret_get', 'ready')$$, '53100', NULL,
                 'when the audit fails there is no answer');
SELECT throws_ok($$SELECT call('secret_version_access', 'ready', '1')$$, '53100', NULL,
                 'and no value');
SELECT throws_ok($$SELECT call('secret_delete', 'locked')$$, '53100', NULL, 'and no refusal');

SELECT finish();
ROLLBACK;
