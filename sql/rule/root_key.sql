-- Root keys: what is wrapped under which, who has them, and what is wrong when one is missing.

CREATE VIEW rule.root_key_use AS
    SELECT p.root_id FROM store.pepper p
    UNION ALL
    SELECT s.root_id FROM store.signer s
    UNION ALL
    SELECT k.root_id FROM store.kek k;
COMMENT ON VIEW rule.root_key_use IS
    'The root key of everything that is wrapped under one: a row for each.';

CREATE FUNCTION rule.root_key_signer_uuid(id text)
RETURNS uuid
LANGUAGE sql IMMUTABLE
AS $$
    SELECT lpad(id, 32, '0')::uuid
$$;
COMMENT ON FUNCTION rule.root_key_signer_uuid(text) IS
    'Gives the id under which a key that signs seals is moved, together with keys that have a '
    'uuid.';

CREATE VIEW rule.instance_live AS
    SELECT i.* FROM store.instance i WHERE i.seen_at > clock_timestamp() - interval '3 minutes';
COMMENT ON VIEW rule.instance_live IS
    'The daemons that run: each makes a handshake once a minute or more often. One that has made '
    'none for three minutes is gone.';

CREATE FUNCTION rule.root_key_see(root_ids text[])
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    -- Looked up first: almost always nothing is new, and an insert would be a row lock for nothing.
    INSERT INTO store.root_key (id)
    SELECT seen.id FROM unnest(root_ids) AS seen(id)
     WHERE NOT EXISTS (SELECT FROM store.root_key r WHERE r.id = seen.id)
     ORDER BY seen.id
        ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION rule.root_key_see(text[]) IS
    'Remembers root keys that have not been seen before.';

CREATE FUNCTION rule.root_key_active()
RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (SELECT r.id FROM store.root_key r WHERE r.active);
END
$$;
COMMENT ON FUNCTION rule.root_key_active() IS
    'Gives the id of the active root key; null until the first pepper is kept.';

CREATE FUNCTION rule.root_key_hold(root_id text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    -- Shared with all who wrap; operator.root_key_activate and root_key_retire wait for them, and
    -- they for those.
    PERFORM FROM store.root_key r WHERE r.id = root_key_hold.root_id AND r.active FOR KEY SHARE;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION rule.root_key_hold(text) IS
    'Tells whether a root key is the active one, which it then stays until the end of the '
    'transaction. Nothing that a daemon has wrapped is kept without.';

CREATE FUNCTION rule.root_key_faults(root_ids text[])
RETURNS text[]
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN ARRAY(
        SELECT format('root key %s is needed and not loaded (%s): load it, then send SIGHUP or '
                      'start again', needed.id,
                      concat_ws(', ', CASE WHEN needed.uses > 0
                                THEN needed.uses || ' keys are wrapped under it' END,
                                CASE WHEN needed.active THEN 'it is active' END))
          FROM (SELECT u.root_id AS id, count(*) AS uses,
                u.root_id IS NOT DISTINCT FROM rule.root_key_active() AS active
                  FROM rule.root_key_use u GROUP BY u.root_id
                UNION ALL
                SELECT r.id, 0, true FROM store.root_key r
                 WHERE r.active AND NOT EXISTS (SELECT FROM rule.root_key_use u
                                                WHERE u.root_id = r.id)) AS needed
         WHERE needed.id <> ALL (root_ids)
         ORDER BY needed.id);
END
$$;
COMMENT ON FUNCTION rule.root_key_faults(text[]) IS
    'Lists the root keys that this database needs and a daemon that has these does not.';
