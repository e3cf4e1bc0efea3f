-- Take away the protection of a secret.
CREATE FUNCTION endpoint.secret_unprotect(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{path.secret_id!}');
    v_secret   store.secret :=
        rule.secret_require_for_change(caller, request, v_argument.secret_id, 'write');
BEGIN
    PERFORM rule.secret_require_usable(v_secret);

    UPDATE store.secret s SET protected = false WHERE s.id = v_secret.id;

    RETURN rule.outcome_of_secret(v_secret.id, request);
END
$$;
COMMENT ON FUNCTION endpoint.secret_unprotect(rule.caller, jsonb) IS
    'Takes away the protection of a secret; doing so again changes nothing.';
