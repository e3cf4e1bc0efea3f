-- The API functions: a deploy makes one in schema api for each function of schema endpoint.
-- Only an API function authenticates a call, turns a refusal into an answer and writes the audit
-- row, so no endpoint function can forget it. A refusal undoes what the endpoint function did, and
-- its audit row stays.
DO $$
DECLARE
    v_template CONSTANT text := $template$
        CREATE FUNCTION api.%1$I(request jsonb, token bytea, key bytea, data bytea)
        RETURNS api.answer
        LANGUAGE plpgsql VOLATILE SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp
        AS $function$
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
                IF v_once THEN                  -- a change, done once if sent again
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
                -- The memory that a daemon reserves for an answer (src/call/budget.c).
                IF octet_length(v_outcome.body) > 8388608 THEN
                    PERFORM fail.invalid_arguments(rule.argument_fault(
                        'page_size', 'constraint',
                        'the page has more than 8 MiB; ask for a smaller one'));
                END IF;
            EXCEPTION
                WHEN SQLSTATE 'SM000' THEN      -- class SM: only schema fail raises it
                    GET STACKED DIAGNOSTICS v_outcome.body = PG_EXCEPTION_DETAIL,
                                            v_status = PG_EXCEPTION_HINT;
                    IF v_status = '0' THEN
                        RETURN (0, v_outcome.body, NULL, NULL)::api.answer;
                    END IF;
                    IF v_status = '401' THEN        -- the audit row names the owner of the key
                        v_caller := rule.caller_refused(token);
                    END IF;
                    v_outcome := rule.refusal(v_caller, request, v_status::smallint,
                                              v_outcome.body);
                    v_error := v_outcome.body::json ->> 'type';
            END;
            v_answer := rule.audit_write(%1$L, v_caller, request, v_outcome, v_error);
            IF v_once AND v_error IS NULL THEN
                PERFORM rule.request_keep(v_caller, request, %1$L, v_answer);
            END IF;
            RETURN v_answer;
        END
        $function$;
        COMMENT ON FUNCTION api.%1$I(jsonb, bytea, bytea, bytea) IS %3$L;
    $template$;
    v_definition text;
BEGIN
    FOR v_definition IN
        SELECT format(v_template, p.proname, array_to_string(
                   ARRAY(SELECT CASE WHEN argument = 'caller' THEN 'v_caller' ELSE argument END
                           FROM unnest(p.proargnames) AS argument), ', '),
                   format('API function of endpoint.%s: %s', p.proname,
                          obj_description(p.oid, 'pg_proc')))
          FROM pg_catalog.pg_proc p
         WHERE p.pronamespace = 'endpoint'::regnamespace
         ORDER BY p.proname
    LOOP
        EXECUTE v_definition;   -- dynamic: names and arguments come from the catalogue
    END LOOP;
END
$$;
