-- The doors: for every function of schema endpoint one of the same name in schema api, all of one signature.
-- This is the only place where a call is authenticated, where a refusal becomes an answer, and where the audit is written;
-- so no endpoint can forget one of them, and a refusal undoes what its endpoint did and still leaves its trace.
DO $$
DECLARE
    v_template CONSTANT text := $template$
        CREATE FUNCTION api.%1$I(request jsonb, token bytea, key bytea, data bytea)
        RETURNS api.answer
        LANGUAGE plpgsql VOLATILE SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp
        AS $door$
        DECLARE
            v_caller  rule.caller;
            v_outcome rule.outcome;
            v_error   text;
            v_status  text;
            v_answer  api.answer;
            v_once    CONSTANT boolean := request ? 'once';
        BEGIN
            BEGIN
                v_caller := rule.caller_require(token);
                IF v_once THEN                  -- a change, which is done once however often it is sent
                    v_answer := rule.request_answer(v_caller, request, %1$L);
                    IF v_answer.status IS NOT NULL THEN
                        RETURN v_answer;
                    END IF;
                END IF;
                IF request ? 'unserved' THEN
                    v_outcome := rule.region_empty(%1$L, request);
                ELSE
                    v_outcome := endpoint.%1$I(%2$s);
                END IF;
                IF octet_length(v_outcome.body) > 8388608 THEN  -- what a daemon makes room for (src/call/budget.c)
                    PERFORM fail.invalid_arguments(rule.argument_fault(
                        'page_size', 'constraint', 'the page has more than 8 MiB; ask for a smaller one'));
                END IF;
            EXCEPTION
                WHEN SQLSTATE 'SM000' THEN      -- all of class SM: what schema fail raises, and nothing else
                    GET STACKED DIAGNOSTICS v_outcome.body = PG_EXCEPTION_DETAIL, v_status = PG_EXCEPTION_HINT;
                    IF v_status = '0' THEN
                        RETURN (0, v_outcome.body, NULL, NULL)::api.answer;
                    END IF;
                    IF v_status = '401' THEN        -- but the audit says whose key was tried
                        v_caller := rule.caller_refused(token);
                    END IF;
                    v_outcome := rule.refusal(v_caller, request, v_status::smallint, v_outcome.body);
                    v_error := v_outcome.body::json ->> 'type';
            END;
            v_answer := rule.audit_write(%1$L, v_caller, request, v_outcome, v_error);
            IF v_once AND v_error IS NULL THEN
                PERFORM rule.request_keep(v_caller, request, %1$L, v_answer);
            END IF;
            RETURN v_answer;
        END
        $door$;
        COMMENT ON FUNCTION api.%1$I(jsonb, bytea, bytea, bytea) IS %3$L;
    $template$;
    v_door text;
BEGIN
    FOR v_door IN
        SELECT format(v_template, p.proname, array_to_string(
                   ARRAY(SELECT CASE WHEN argument = 'caller' THEN 'v_caller' ELSE argument END
                           FROM unnest(p.proargnames) AS argument), ', '),
                   'Door of endpoint.' || p.proname || ': ' || obj_description(p.oid, 'pg_proc'))
          FROM pg_catalog.pg_proc p
         WHERE p.pronamespace = 'endpoint'::regnamespace
         ORDER BY p.proname
    LOOP
        EXECUTE v_door;     -- dynamic: names and arguments come from the catalogue
    END LOOP;
END
$$;
