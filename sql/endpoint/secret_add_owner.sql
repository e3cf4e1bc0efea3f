-- Record that a product uses a secret.
CREATE FUNCTION endpoint.secret_add_owner(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_argument rule.argument := rule.arguments(request, '{path.secret_id!, body.product!}');
    v_secret   store.secret :=
        rule.secret_require_for_change(caller, request, v_argument.secret_id, 'write');
BEGIN
    PERFORM rule.secret_require_usable(v_secret);

    UPDATE store.secret s SET used_by = s.used_by || v_argument.product
     WHERE s.id = v_secret.id AND v_argument.product <> ALL (s.used_by);

    RETURN rule.outcome(204, NULL, v_secret);
END
$$;
COMMENT ON FUNCTION endpoint.secret_add_owner(rule.caller, jsonb) IS
    'Adds a product to those that use a secret; adding it again changes nothing.';
