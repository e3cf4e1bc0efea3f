CREATE FUNCTION operator.setting_set(name text, value text)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_before text;
    v_length interval;
BEGIN
    IF rule.setting_default(name) IS NULL THEN
        PERFORM fail.operation_refused('there is no such setting', 'purge_after');
    ELSIF value IS NULL OR value !~* '^ *[0-9]+ *(second|minute|hour|day|week|month)s? *$' THEN
        PERFORM fail.operation_refused('the value is not a length of time',
                                       'write a number and a unit: 7 days');
    END IF;
    v_before := rule.setting(name);
    BEGIN
        v_length := value::interval;
    EXCEPTION
        WHEN interval_field_overflow OR datetime_field_overflow OR invalid_datetime_format THEN
            NULL;
    END;
    -- The jobs subtract it from today.
    IF (v_length <= interval '10 years') IS NOT TRUE THEN
        PERFORM fail.operation_refused('the value is longer than ten years',
                                       'write 120 months or less');
    END IF;
    INSERT INTO store.setting AS s (name, value) VALUES (setting_set.name, setting_set.value)
        ON CONFLICT ON CONSTRAINT setting_pkey DO UPDATE SET value = excluded.value;
    PERFORM rule.audit_write_operator('operator.setting_set', NULL, NULL, NULL,
                                      jsonb_build_object('name', name, 'value', value,
                                                         'before',
                                                             jsonb_build_object('value',
                                                                 v_before)));
END
$$;
COMMENT ON FUNCTION operator.setting_set(text, text) IS
    'Sets an operator setting. purge_after: how long what is scheduled for deletion is kept, as '
    '''7 days'', ten years at most.';
