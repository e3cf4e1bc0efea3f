CREATE FUNCTION operator.signer_retire()
RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_signer text;
BEGIN
    UPDATE store.signer s SET retired_at = clock_timestamp() WHERE s.retired_at IS NULL
    RETURNING s.id INTO v_signer;
    IF NOT FOUND THEN
        PERFORM fail.operation_refused('there is no signer',
                                       'a daemon makes one when it first seals');
    END IF;
    PERFORM rule.audit_write_operator('operator.signer_retire', NULL, NULL, NULL,
                                      jsonb_build_object('signer', v_signer));
    RETURN v_signer;
END
$$;
COMMENT ON FUNCTION operator.signer_retire() IS
    'Puts the key that seals are signed with out of use, for a daemon to make another; gives its '
    'id. What it has signed stays verifiable.';
