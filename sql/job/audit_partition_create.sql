CREATE FUNCTION job.audit_partition_create(months integer DEFAULT 12)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_month date := date_trunc('month', now() AT TIME ZONE 'UTC');
    v_name  text;
    v_count bigint := 0;
BEGIN
    FOR i IN 0..months LOOP
        v_name := rule.audit_partition(v_month);
        IF to_regclass(format('audit.%I', v_name)) IS NULL THEN
            -- A partition is made aside and attached: CREATE ... PARTITION OF would lock out calls
            -- that write their audit row. It has no replica identity from its parent. Dynamic: DDL.
            EXECUTE format('CREATE TABLE audit.%I (LIKE audit.event INCLUDING DEFAULTS '
                           'INCLUDING CONSTRAINTS)', v_name);
            EXECUTE format('ALTER TABLE audit.%I REPLICA IDENTITY FULL', v_name);
            EXECUTE format('ALTER TABLE audit.event ATTACH PARTITION audit.%I FOR VALUES FROM (%L) '
                           'TO (%L)', v_name,
                           rule.audit_bound(v_month),
                               rule.audit_bound((v_month + interval '1 month')::date));
            v_count := v_count + 1;
        END IF;
        v_month := v_month + interval '1 month';
    END LOOP;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION job.audit_partition_create(integer) IS
    'Makes the monthly partitions of the audit that are missing from this month to so many months '
    'ahead; gives their number.';
