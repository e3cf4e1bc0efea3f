-- Whether the audit is what was sealed.

CREATE FUNCTION auditor.verify(since timestamptz DEFAULT '-infinity',
                               until timestamptz DEFAULT 'infinity')
RETURNS TABLE (kind text, place text, words text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_month date;
    v_epoch integer;
BEGIN
    -- Not all that is compiled for a query is given back: ten megabytes a month.
    PERFORM set_config('jit', 'off', true);
    since := coalesce(since, '-infinity');
    until := coalesce(until, 'infinity');
    -- No month is dropped from here on, whose row of operator.audit_drop_month this snapshot would
    -- not show.
    PERFORM FROM audit.event LIMIT 1;
    RETURN QUERY SELECT * FROM rule.verify_chain(since, until);
    RETURN QUERY SELECT * FROM rule.verify_absent(since, until);
    FOR v_epoch, v_month IN
        SELECT s.epoch, s.month FROM audit.seal s WHERE s.sealed_at >= since AND s.sealed_at < until
        UNION
        -- Months that have rows and no seal, as of an epoch that was never begun.
        SELECT e.epoch, date_trunc('month', e.at AT TIME ZONE 'UTC')::date FROM audit.event e
         WHERE since = '-infinity' AND until = 'infinity'
         ORDER BY 1, 2
    LOOP
        RETURN QUERY SELECT * FROM rule.verify_month(v_epoch, v_month, since, until);
    END LOOP;
END
$$;
COMMENT ON FUNCTION auditor.verify(timestamptz, timestamptz) IS
    'Verifies the seals that were made in [since, until), by default all, and their rows: no row '
    'if all is sound, else one for each damage, with its kind, its place and words. What it '
    'cannot see is a chain that was made anew as a whole, or cut off at its end: for that `coffer '
    'audit verify` compares with anchors outside of the database.';
