CREATE VIEW operator.key_rotation AS
    SELECT k.project_id, k.key_id, k.id AS kek_id,
           CASE WHEN k.active THEN 'wanted' ELSE 'moving' END AS state,
           k.created_at, k.rotate_requested_at,
           (SELECT count(*) FROM store.dek d WHERE d.kek_id = k.id) AS versions_left
      FROM store.kek k
     WHERE k.rotate_requested_at IS NOT NULL
        OR NOT k.active AND (k.key_id IS NULL
                             OR EXISTS (SELECT FROM store.dek d WHERE d.kek_id = k.id));
COMMENT ON VIEW operator.key_rotation IS
    'The key-encryption keys that are being replaced, and the rotations of managed keys (key_id) '
    'that are not the newest, and how many versions are still under each. A project that is not '
    'in it is done.';

CREATE FUNCTION operator.kek_rotate(project_id uuid)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_project store.project;
    v_kek     store.kek;
BEGIN
    SELECT * INTO v_project FROM store.project p WHERE p.id = kek_rotate.project_id;
    IF NOT FOUND THEN
        PERFORM fail.operation_refused('there is no such project',
                                       'operator.project_create() makes one');
    END IF;
    SELECT * INTO v_kek FROM store.kek k
     WHERE k.project_id = v_project.id AND k.key_id IS NULL AND k.active FOR NO KEY UPDATE;
    UPDATE store.kek k SET rotate_requested_at = clock_timestamp()
     WHERE k.id = v_kek.id AND k.rotate_requested_at IS NULL;
    PERFORM rule.audit_write_operator(
        'operator.kek_rotate', v_project.organization_id, v_project.id, NULL,
        jsonb_build_object('kek_id', v_kek.id, 'before', jsonb_build_object(
            'rotate_requested_at', rule.render_time(v_kek.rotate_requested_at))));
END
$$;
COMMENT ON FUNCTION operator.kek_rotate(uuid) IS
    'Asks the daemons for a new key-encryption key of a project, to which they then move its '
    'versions; operator.key_rotation shows how far they are. A project that has no key yet has '
    'nothing to replace.';
