CREATE FUNCTION daemon.epoch_begin(seen jsonb)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rule.seal_wait();
    -- Another daemon may have begun it meanwhile. Where a whole epoch was lost, its number is
    -- passed over.
    WHILE daemon.seen_faults(seen) <> '{}' LOOP
        PERFORM rule.audit_write_operator('operator.audit_epoch_begin', NULL, NULL, NULL,
                                          rule.epoch_begin('a daemon with epoch_on_loss found that '
                                              'the database lacks what it had seen')
                                          || jsonb_build_object('seen', seen));
    END LOOP;
    RETURN (SELECT max(p.epoch) FROM audit.epoch p);
END
$$;
COMMENT ON FUNCTION daemon.epoch_begin(jsonb) IS
    'Begins another epoch if the database lacks what a daemon has seen of it; gives the number of '
    'the epoch that it is in then.';
