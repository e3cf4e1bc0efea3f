-- Rows that foreign keys and the triggers of counters should have removed or counted, and did not:
-- as where a session of a superuser had session_replication_role = replica, or a trigger was
-- disabled.

CREATE FUNCTION rule.orphans()
RETURNS TABLE (what text, number bigint, mend text)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_key    record;
    v_orphan text;
BEGIN
    FOR v_key IN
        SELECT c.conrelid::regclass AS child, c.confrelid::regclass AS parent,
               c.confdeltype AS action,
               string_agg(format('c.%I', a.attname), ', ' ORDER BY k.place) AS child_columns,
               string_agg(format('p.%I', o.attname), ', ' ORDER BY k.place) AS parent_columns,
               string_agg(format('%I = NULL', a.attname), ', ' ORDER BY k.place) AS nulls
          FROM pg_constraint c
         CROSS JOIN LATERAL unnest(c.conkey, c.confkey) WITH ORDINALITY AS k(child, parent, place)
          JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.child
          JOIN pg_attribute o ON o.attrelid = c.confrelid AND o.attnum = k.parent
         WHERE c.contype = 'f' AND c.conparentid = 0
           AND c.connamespace = ANY ('{store,audit}'::regnamespace[])
         GROUP BY c.oid, c.conrelid, c.confrelid, c.confdeltype
         ORDER BY child, parent
    LOOP
        v_orphan :=
            format('ROW(%1$s) IS NOT NULL AND NOT EXISTS (SELECT FROM %2$s p WHERE (%3$s) = '
                   '(%1$s))',
                           v_key.child_columns, v_key.parent, v_key.parent_columns);
        -- dynamic: each foreign key
        EXECUTE format('SELECT count(*) FROM %s c WHERE %s', v_key.child, v_orphan) INTO number;
        CONTINUE WHEN number = 0;
        what := format('%s without %s', v_key.child, v_key.parent);
        mend := CASE v_key.action
                    WHEN 'c' THEN format('DELETE FROM %s c WHERE %s', v_key.child, v_orphan)
                    WHEN 'n' THEN format('UPDATE %s c SET %s WHERE %s', v_key.child, v_key.nulls,
                                         v_orphan)
                    ELSE format('restore the missing rows of %s from a backup, or else: DELETE '
                                'FROM %s c WHERE %s',
                                v_key.parent, v_key.child, v_orphan)
                END;
        RETURN NEXT;
    END LOOP;

    SELECT count(*) INTO number
      FROM (SELECT s.project_id, s.region,
            count(*) FILTER (WHERE s.deletion_requested_at IS NULL) AS live,
                   count(s.deletion_requested_at) AS scheduled
              FROM store.secret s GROUP BY s.project_id, s.region) AS s
      FULL JOIN store.secret_count c ON c.project_id = s.project_id AND c.region = s.region
     WHERE (coalesce(s.live, 0), coalesce(s.scheduled, 0)) <> (coalesce(c.live, 0),
         coalesce(c.scheduled, 0));
    IF number > 0 THEN
        what := 'store.secret_count with other numbers than there are';
        mend := 'BEGIN; LOCK TABLE store.secret IN SHARE MODE; DELETE FROM store.secret_count; '
                'INSERT INTO store.secret_count (organization_id, project_id, region, live, '
                'scheduled) '
                'SELECT organization_id, project_id, region, count(*) FILTER (WHERE '
                'deletion_requested_at IS NULL), '
                'count(deletion_requested_at) FROM store.secret GROUP BY 1, 2, 3; COMMIT';
        RETURN NEXT;
    END IF;
END
$$;
COMMENT ON FUNCTION rule.orphans() IS
    'Lists rows whose foreign key refers to no row, and counters that are wrong: what they are, '
    'their number, and the statement that mends it as coffer_owner. It reads each table once.';
