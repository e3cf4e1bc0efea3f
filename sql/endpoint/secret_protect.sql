-- Protect a secret from deletion.
CREATE FUNCTION endpoint.secret_protect(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{path.secret_id!}');
    v_secret   store.secret :=
        rule.secret_require_for_change(caller, request, v_argument.secret_id, 'write');
BEGIN
    PERFORM rule.secret_require_usable(v_secret);

    UPDATE store.secret s SET protected = true WHERE s.id = v_secret.id;

    RETURN rule.outcome_of_secret(v_secret.id, request);
END
$$;
COMMENT ON FUNCTION endpoint.secret_protect(rule.caller, jsonb) IS
    'Protects a secret from deletion; protecting it again changes nothing.';
