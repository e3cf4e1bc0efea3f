-- Create a key.
CREATE FUNCTION endpoint.key_create(caller rule.caller, request jsonb)
RETURNS rule.outcome
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_project  CONSTANT text :=
        CASE WHEN caller.default_project_id IS NULL THEN 'body.project_id!'
             ELSE 'body.project_id' END;
    v_argument rule.argument := rule.arguments(request, v_project || '{
        body.name, body.usage!, body.description, body.tags,
        body.rotation_policy, body.unprotected, body.origin,
        body.protection_level:new_protection_level}'::text[]);
    v_policy   CONSTANT rule.rotation_policy := v_argument.rotation_policy;
    v_material CONSTANT jsonb := request -> 'material';
    v_now      CONSTANT timestamptz := clock_timestamp();
    v_key      store.managed_key;
BEGIN
    v_key.project_id :=
        rule.caller_require_project(caller, 'create', 'key',
                                    coalesce(v_argument.project_id, caller.default_project_id));

    -- The lock makes creates of one organization wait for each other, so that the quota is exact.
    PERFORM FROM store.organization o WHERE o.id = caller.organization_id FOR NO KEY UPDATE;
    PERFORM rule.quota_require_room(caller.organization_id, 'key',
        (SELECT count(*) FROM store.managed_key k
          WHERE k.organization_id = caller.organization_id));

    v_key.id := v_material ->> 'key_id';
    IF v_key.id IS NULL OR EXISTS (SELECT FROM store.managed_key k WHERE k.id = v_key.id)
        OR v_material ->> 'rotation' <> '1' OR NOT rule.root_key_hold(v_material ->> 'root_id') THEN
        PERFORM rule.managed_key_challenge_material(gen_random_uuid(), v_key.project_id, 1);
    END IF;
    BEGIN
        INSERT INTO store.managed_key (id, organization_id, project_id, region, name, description,
                                       tags, protected, rotation_period, next_rotation_at,
                                       created_at, updated_at, rotated_at)
        VALUES (v_key.id, caller.organization_id, v_key.project_id, request ->> 'region',
                coalesce(v_argument.name, ''), v_argument.description,
                coalesce(v_argument.tags, '{}'), NOT coalesce(v_argument.unprotected, false),
                v_policy.rotation_period, v_policy.next_rotation_at, v_now, v_now, v_now);
    EXCEPTION
        WHEN foreign_key_violation THEN     -- the operator has deleted the project meanwhile
            PERFORM fail.permissions_denied('create', 'key');
    END;
    INSERT INTO store.kek (id, project_id, root_id, wrapped, key_id, rotation)
    VALUES ((v_material ->> 'kek_id')::uuid, v_key.project_id, v_material ->> 'root_id',
            decode(v_material ->> 'wrapped', 'base64'), v_key.id, 1);

    RETURN rule.outcome_of_key(v_key.id, request);
END
$$;
COMMENT ON FUNCTION endpoint.key_create(rule.caller, jsonb) IS
    'Creates a key with its first rotation, for which the daemon brings wrapped material; refuses '
    'another usage than symmetric encryption, protection by hardware and a create past the quota.';
