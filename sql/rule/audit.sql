-- The audit row of a call.

CREATE FUNCTION rule.audit_request(request jsonb, snapshot jsonb, refused boolean)
RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_path  CONSTANT jsonb := request -> 'path';
    v_query CONSTANT jsonb := request -> 'query';
    v_body  CONSTANT jsonb := request -> 'body';
    v_room  CONSTANT integer := CASE WHEN refused THEN 1024 ELSE 8192 END;
    v_kept  jsonb;
BEGIN
    IF v_path IS NULL THEN          -- no request: a job, an operator
        v_kept := coalesce(nullif(request -> 'detail', 'null'), CASE WHEN snapshot IS NOT NULL
                           THEN '{}'::jsonb END);
    -- most reads
    ELSIF v_query = '{}' AND v_body = '{}' AND NOT refused AND snapshot IS NOT NULL THEN
        RETURN jsonb_build_object('path', v_path, 'snapshot', snapshot);
    ELSIF v_query = '{}' AND v_body = '{}' THEN
        v_kept := jsonb_build_object('path', rule.audit_bounded(v_path, v_room));
    ELSE
        v_kept := jsonb_build_object('path', rule.audit_bounded(v_path, v_room),
                                     'query', rule.audit_bounded(rule.audit_known(v_query), v_room),
                                     'body', rule.audit_bounded(rule.audit_known(v_body), v_room));
    END IF;
    RETURN CASE WHEN snapshot IS NULL THEN v_kept
        ELSE v_kept || jsonb_build_object('snapshot', snapshot) END;
END
$$;
COMMENT ON FUNCTION rule.audit_request(jsonb, jsonb, boolean) IS
    'Gives what the audit keeps of a request: of its path, query and body the known arguments, '
    'without payload and checksum, each place in 8 KiB, or 1 KiB if the request was refused; and '
    'the snapshot of what it concerned. Of what a job or an operator does, its detail.';

CREATE FUNCTION rule.audit_known(arguments jsonb)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    -- Only what the API knows by name is kept, so that a value put under a wrong name by mistake is
    -- not kept with it. data_crc32 tells a right guess at a short payload from a wrong one, so it
    -- is left out like the payload.
    RETURN (SELECT coalesce(jsonb_object_agg(key, value), '{}')
              FROM jsonb_each(arguments)
             WHERE key = ANY
                   ('{secret_id,revision,organization_id,project_id,key_id,name,secret_name,
                                path,prefix,secret_path,description,tags,type,product,protected,
                                disable_previous,ephemeral_policy,ephemeral_properties,ephemeral,
                                scheduled_for_deletion,status,order_by,page,page_size,resource_type,
                                usage,usages,unprotected,origin,protection_level,rotation_policy,
                                algorithm,without_plaintext,resource_id,principal_id,method_name,
                                product_name,service_name,source_ip,recorded_after,recorded_before,
                                page_token,after,wait}'));
END
$$;
COMMENT ON FUNCTION rule.audit_known(jsonb) IS
    'Gives those members of an object that are arguments of the API and may be kept.';

CREATE FUNCTION rule.audit_bounded(arguments jsonb, room integer)
RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF pg_column_size(arguments) <= room THEN
        RETURN arguments;
    END IF;
    -- Long values are cut. What is too much even then is left out, the longest first.
    RETURN (SELECT coalesce(jsonb_object_agg(key, value), '{}')
              FROM (SELECT a.key, a.value,
                    sum(pg_column_size(a.value) + 32) OVER (ORDER BY pg_column_size(a.value), a.key)
                        AS size
                      FROM (SELECT key, rule.audit_cut(value, room / 8) AS value
                            FROM jsonb_each(arguments)) AS a) AS cut
             WHERE size <= room);
END
$$;
COMMENT ON FUNCTION rule.audit_bounded(jsonb, integer) IS
    'Gives an object of arguments that takes no more than room bytes: with long values cut, and '
    'without those for which there is no room.';

CREATE FUNCTION rule.audit_cut(value jsonb, length integer)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    IF octet_length(value::text) <= length THEN
        RETURN value;
    ELSIF jsonb_typeof(value) <> 'array' THEN
        RETURN to_jsonb(left(value #>> '{}', length) || '...');
    END IF;
    -- A list stays one: a query has each of its arguments in a list, from which it is shown.
    RETURN (SELECT jsonb_agg(list.element ORDER BY list.place) FILTER (WHERE list.size <= length)
            || '["..."]'
              FROM (SELECT short.element, short.place,
                    sum(octet_length(short.element::text)) OVER (ORDER BY short.place) AS size
                      FROM (SELECT CASE WHEN octet_length(element::text) <= length / 2 THEN element
                                        ELSE to_jsonb(left(element #>> '{}', length / 8) || '...')
                                            END AS element, place
                              FROM jsonb_array_elements(value) WITH ORDINALITY AS t(element, place))
                                   AS short) AS list);
END
$$;
COMMENT ON FUNCTION rule.audit_cut(jsonb, integer) IS
    'Cuts a value whose text is longer than length bytes: a string after as many characters, a '
    'list after the elements that fit; "..." says that something is missing.';

CREATE FUNCTION rule.audit_write(method text, caller rule.caller, request jsonb,
                                 outcome rule.outcome, error text)
RETURNS api.answer
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_xid   CONSTANT bigint := pg_current_xact_id()::text::bigint;
    v_event audit.event;
BEGIN
    -- One expression, not an assignment a column: that takes half the time. The transaction number
    -- comes before the id: who has an id has a number, which is how rule.audit_settle knows when an
    -- id can appear no more. The lock on audit.epoch is kept to the end of the transaction, so that
    -- an epoch ends with all its rows.
    v_event := (nextval('audit.event_id'), v_xid, (SELECT max(e.epoch) FROM audit.epoch e),
                clock_timestamp(),
                request ->> 'instance', request ->> 'id', session_user,
                caller.organization_id, caller.principal_id, caller.api_key_id,
                request ->> 'ip', request ->> 'user_agent', method, request ->> 'region',
                outcome.project_id, outcome.secret_id, outcome.revision, outcome.status, error,
                -- Nobody without a credential gets to fill the audit with what he sends.
                CASE WHEN outcome.status <> 401
                    THEN rule.audit_request(request, outcome.snapshot, error IS NOT NULL) END,
                NULL)::audit.event;
    v_event.hash := rule.audit_hash(v_event);
    INSERT INTO audit.event VALUES (v_event.*);
    RETURN (outcome.status, outcome.body, v_event.id, v_event.hash)::api.answer;
END
$$;
COMMENT ON FUNCTION rule.audit_write(text, rule.caller, jsonb, rule.outcome, text) IS
    'Writes the one audit row of a call and gives the answer with its receipt. Nothing catches a '
    'failure of it: without the row there is no answer.';

CREATE FUNCTION rule.audit_hash(event audit.event)
RETURNS bytea
LANGUAGE sql STABLE
AS $$
    -- record_send converts texts to client_encoding. Where that is another one, a function is
    -- called that sets it.
    SELECT sha256('coffer-au1'::bytea || CASE WHEN pg_client_encoding() = 'UTF8'
                  THEN record_send(ROW(
        event.id, event.xid, event.epoch, event.at, event.instance, event.request_id,
            event.database_role,
        event.organization_id, event.principal_id, event.api_key_id, event.ip, event.user_agent,
            event.method,
        event.region, event.project_id, event.secret_id, event.revision, event.status, event.error,
            event.request))
    ELSE rule.audit_bytes(event) END)
$$;
COMMENT ON FUNCTION rule.audit_hash(audit.event) IS
    'Computes the hash of an audit row: SHA-256 over a label and the binary wire form of all '
    'other columns, in which PostgreSQL gives each its type, its length (-1 for null) and its '
    'bytes, so that no two rows are written alike. Texts are in UTF8 as they are stored, whatever '
    'the encoding of the client.';

CREATE FUNCTION rule.audit_bytes(event audit.event)
RETURNS bytea
LANGUAGE plpgsql STABLE
SET client_encoding = 'UTF8'
AS $$
BEGIN
    RETURN record_send(ROW(
        event.id, event.xid, event.epoch, event.at, event.instance, event.request_id,
            event.database_role,
        event.organization_id, event.principal_id, event.api_key_id, event.ip, event.user_agent,
            event.method,
        event.region, event.project_id, event.secret_id, event.revision, event.status, event.error,
            event.request));
END
$$;
COMMENT ON FUNCTION rule.audit_bytes(audit.event) IS
    'Gives the columns of an audit row that its hash is over, in binary wire form and UTF8. For '
    'sessions with another client_encoding: to set it takes 2 us, which a call of the daemon does '
    'not pay.';

CREATE FUNCTION rule.audit_write_job(method text, secret store.secret, revision integer,
                                     detail jsonb DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    PERFORM rule.audit_write(method,
                             (secret.organization_id, NULL, NULL, NULL)::rule.caller,
                             jsonb_build_object('region', secret.region, 'detail', detail),
                             (200, NULL, secret.project_id, secret.id, revision,
                              rule.snapshot_of_secret(secret.organization_id, secret.id,
                                                      revision))::rule.outcome,
                             NULL);
END
$$;
COMMENT ON FUNCTION rule.audit_write_job(text, store.secret, integer, jsonb) IS
    'Writes the audit row of what time did to a secret or, with a revision, to a version of it, '
    'with the snapshot of what is left of it.';

CREATE FUNCTION rule.audit_write_job(method text, key store.managed_key, detail jsonb DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    PERFORM rule.audit_write(method,
                             (key.organization_id, NULL, NULL, NULL)::rule.caller,
                             jsonb_build_object('region', key.region, 'detail', detail),
                             (200, NULL, key.project_id, key.id, NULL,
                              rule.snapshot_of_key(key.organization_id, key.id))::rule.outcome,
                             NULL);
END
$$;
COMMENT ON FUNCTION rule.audit_write_job(text, store.managed_key, jsonb) IS
    'Writes the audit row of what time, or the end of its project, did to a managed key.';

CREATE FUNCTION rule.audit_write_operator(method text, organization_id uuid, project_id uuid,
                                          principal_id uuid,
                                          detail jsonb DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    PERFORM rule.audit_require_epoch();
    PERFORM rule.session_require_plain();
    PERFORM rule.audit_write(method, (organization_id, principal_id, NULL, NULL)::rule.caller,
                             jsonb_build_object('detail', detail),
                             rule.outcome(200, NULL, project_id), NULL);
END
$$;
COMMENT ON FUNCTION rule.audit_write_operator(text, uuid, uuid, uuid, jsonb) IS
    'Writes the audit row of an operator function; the principal is the one whom it concerns, who '
    'called it is the database role.';

CREATE FUNCTION rule.audit_require_epoch()
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_faults CONSTANT text[] := rule.audit_faults();
BEGIN
    IF v_faults <> '{}' THEN
        PERFORM fail.operation_refused(v_faults[1], 'nothing may be done here before that');
    END IF;
END
$$;
COMMENT ON FUNCTION rule.audit_require_epoch() IS
    'Refuses a database that was restored, until its next epoch begins.';

CREATE FUNCTION rule.audit_faults()
RETURNS text[]
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    -- Rows with the transaction numbers of an earlier epoch would lie below the seals, and never be
    -- sealed.
    IF pg_snapshot_xmax(pg_current_snapshot())::text::bigint
       < (SELECT s.xid_to FROM audit.seal s ORDER BY s.no DESC LIMIT 1) THEN
        RETURN ARRAY['the transaction numbers of this database have begun anew, as after '
                     'pg_restore: '
                     'SELECT operator.audit_epoch_begin(''why'')'];
    -- In the same cluster they go on. But the rows that came after the dump are gone, and their ids
    -- would be given again.
    ELSIF 'audit.event'::regclass::oid <> (SELECT p.event_oid FROM audit.epoch p
                                           ORDER BY p.epoch DESC LIMIT 1) THEN
        RETURN ARRAY['this database was restored from a dump: SELECT '
                     'operator.audit_epoch_begin(''why'')'];
    END IF;
    RETURN '{}';
END
$$;
COMMENT ON FUNCTION rule.audit_faults() IS
    'Lists what must be mended before anything is written to the audit, each with the statement '
    'that mends it.';

CREATE FUNCTION rule.audit_partition(month date)
RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT to_char(month, '"event_"YYYY_MM')
$$;
COMMENT ON FUNCTION rule.audit_partition(date) IS
    'Gives the name of the partition of a month, in schema audit.';

CREATE FUNCTION rule.audit_month(month date)
RETURNS timestamptz
LANGUAGE sql IMMUTABLE
AS $$
    SELECT month::timestamp AT TIME ZONE 'UTC'
$$;
COMMENT ON FUNCTION rule.audit_month(date) IS
    'Gives the instant at which a month of the audit begins.';

CREATE FUNCTION rule.audit_bound(month date)
RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT to_char(month::timestamp, 'YYYY-MM-DD"T00:00:00Z"')
$$;
COMMENT ON FUNCTION rule.audit_bound(date) IS
    'Writes the instant at which a month of the audit begins as a bound of its partition, which '
    'is read the same with each DateStyle and TimeZone.';

CREATE FUNCTION rule.audit_require_month_over(month date)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    IF month <> date_trunc('month', month)::date OR month IS NULL THEN
        PERFORM fail.operation_refused('a month is named by its first day',
                                       'write it as 2027-01-01');
    ELSIF rule.audit_month((month + interval '1 month')::date) > clock_timestamp() THEN
        PERFORM fail.operation_refused('the month is not over', 'wait for its end');
    ELSIF to_regclass(format('audit.%I', rule.audit_partition(month))) IS NULL THEN
        PERFORM fail.operation_refused('there is no such month', 'it may have been dropped before');
    END IF;
END
$$;
COMMENT ON FUNCTION rule.audit_require_month_over(date) IS
    'Refuses what is no month of the audit, or one that is not over.';

CREATE FUNCTION rule.audit_require_month_sealed(month date)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_from CONSTANT timestamptz := rule.audit_month(month);
    v_to   CONSTANT timestamptz := rule.audit_month((month + interval '1 month')::date);
    v_last CONSTANT audit.seal := (SELECT s FROM audit.seal s ORDER BY s.no DESC LIMIT 1);
BEGIN
    IF EXISTS (SELECT FROM audit.event e WHERE e.at >= v_from AND e.at < v_to
               AND e.epoch = v_last.epoch AND e.xid >= v_last.xid_to) THEN
        PERFORM fail.operation_refused('a row of the month is not sealed yet',
                                       'see that a daemon runs, and call again');
    END IF;
END
$$;
COMMENT ON FUNCTION rule.audit_require_month_sealed(date) IS
    'Refuses a month with a row that no seal covers. Rows of transactions that still run are not '
    'seen.';

CREATE FUNCTION rule.audit_require_month_anchored(month date)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    IF EXISTS (SELECT FROM audit.seal s WHERE s.month = audit_require_month_anchored.month
               AND s.anchored_at IS NULL) THEN
        PERFORM fail.operation_refused('a seal of the month is not anchored yet',
                                       'see that a daemon runs, and call again');
    END IF;
END
$$;
COMMENT ON FUNCTION rule.audit_require_month_anchored(date) IS
    'Refuses a month with a seal that has not left the database.';

CREATE FUNCTION rule.audit_require_month_exported(month date)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    PERFORM rule.audit_require_month_anchored(month);
    PERFORM rule.audit_require_month_sealed(month);
    IF NOT EXISTS (SELECT FROM audit.month m
                    WHERE m.month = audit_require_month_exported.month
                      AND m.exported_at > (SELECT coalesce(max(s.sealed_at), '-infinity')
                                           FROM audit.seal s
                                            WHERE s.month = audit_require_month_exported.month))
                                                  THEN
        PERFORM fail.operation_refused('the month was not exported since its last seal',
                                       'see the comment on operator.audit_export_month');
    END IF;
END
$$;
COMMENT ON FUNCTION rule.audit_require_month_exported(date) IS
    'Refuses a month of which not all is sealed, anchored, and exported since.';
