-- The condition is that of the index event_change, word for word.
CREATE VIEW auditor.change AS
SELECT e.* FROM audit.event e
 WHERE e.error IS NULL
   AND e.method <> ALL ('{secret_get,secret_list,secret_browse,secret_type_list,tag_list,
                          secret_version_get,secret_version_list,secret_version_access,
                          secret_version_access_by_path,audit_event_list,change_list,key_list,
                          key_get,key_encrypt,key_decrypt,key_generate_data_key,algorithm_list}');
COMMENT ON VIEW auditor.change IS
    'The events that are no reads and were not refused: what callers, operators and jobs have '
    'changed, and what jobs warn of.';

CREATE FUNCTION auditor.changes(after text DEFAULT NULL, batch integer DEFAULT 1000,
                                project_ids uuid[] DEFAULT NULL,
                                region text DEFAULT NULL, organization uuid DEFAULT NULL)
RETURNS TABLE (cursor text, at timestamptz, method text, organization_id uuid, project_id uuid,
               secret_id uuid,
               revision integer, principal_id uuid, api_key_id uuid, request_id uuid, request jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_epoch integer := 0;
    v_from  bigint := 0;
    v_to    CONSTANT bigint := (SELECT s.id FROM audit.settled s);
BEGIN
    IF after !~ '^[1-9][0-9]{0,8}[.][0-9]{1,18}$' THEN
        PERFORM fail.operation_refused('this is no cursor',
                                       'pass the cursor of a change, or null to begin with the '
                                       'oldest');
    ELSIF rule.change_cursor_is_ahead(after, auditor.changes_end()) THEN
        PERFORM fail.operation_refused('the cursor is ahead of the last change',
                                       'a restore or a failover has lost what it stands for: begin '
                                       'an epoch, or read from an earlier cursor');
    ELSIF after IS NOT NULL THEN
        v_epoch := split_part(after, '.', 1);
        v_from := split_part(after, '.', 2);
        -- A restore has taken back what came after it, and gives the same ids to other events.
        v_from := least(v_from, (SELECT min(p.id_from) - 1 FROM audit.epoch p
                                 WHERE p.epoch > v_epoch));
    END IF;
    RETURN QUERY
        SELECT c.epoch || '.' || c.id, c.at, c.method, c.organization_id, c.project_id, c.secret_id,
               c.revision,
               c.principal_id, c.api_key_id, c.request_id, c.request
          FROM auditor.change c
         WHERE c.id > v_from AND c.id <= v_to
           AND (changes.project_ids IS NULL OR c.secret_id IS NOT NULL
                AND c.project_id = ANY (changes.project_ids))
           AND (changes.organization IS NULL OR c.secret_id IS NOT NULL
                AND c.organization_id = changes.organization)
           AND (changes.region IS NULL OR c.region = changes.region)
         ORDER BY c.id
         LIMIT batch;
END
$$;
COMMENT ON FUNCTION auditor.changes(text, integer, uuid[], text, uuid) IS
    'Gives the changes after a cursor, in an order in which none can appear later before one that '
    'was given, and in which the changes of each secret are as they happened. Who keeps the '
    'cursor of the last change he has dealt with misses nothing. LISTEN coffer_changes tells when '
    'to ask. With project_ids or an organization, only changes of secrets and managed keys in '
    'them. Of a key (methods key_*, job.key_* and operator.key_*) secret_id is the id.';

CREATE FUNCTION auditor.changes_end()
RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT max(p.epoch) || '.' || max(s.id) FROM audit.epoch p, audit.settled s
$$;
COMMENT ON FUNCTION auditor.changes_end() IS
    'Gives the cursor of now: auditor.changes has nothing after it yet.';
