-- Write a secret out of a backup into the live database, for `coffer restore`.
CREATE FUNCTION operator.secret_restore(document jsonb, key bytea, data bytea[], reason text,
                                        older boolean DEFAULT false)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_faults    text[] := rule.database_faults() || rule.session_faults() || rule.audit_faults();
    v_lines     CONSTANT jsonb := CASE jsonb_typeof(document -> 'versions')
                                      WHEN 'array' THEN document -> 'versions' ELSE '[]' END;
    v_count     CONSTANT integer := jsonb_array_length(v_lines);
    v_secret    store.secret;
    v_version   store.version;
    v_versions  store.version[];
    v_kek_id    uuid;
    v_known     integer;
    v_line      jsonb;
    v_dek       bytea;
    v_wrapped   bytea;
    v_challenge text;
    v_constraint text;
    v_last      integer := 0;
    v_restored  integer[] := '{}';
    v_expired   integer[] := '{}';
BEGIN
    PERFORM rule.session_require_plain();
    IF v_faults <> '{}' THEN
        PERFORM fail.operation_refused(v_faults[1], 'nothing may be restored before that');
    ELSIF coalesce(btrim(reason), '') = '' THEN
        PERFORM fail.operation_refused('a restore needs a reason', 'say why');
    ELSIF v_count = 0 THEN
        PERFORM rule.backup_refuse('it has no version');
    ELSIF v_lines -> 0 ->> 'versions' IS DISTINCT FROM v_count::text THEN
        PERFORM rule.backup_refuse(format('it has %s of %s versions of its secret', v_count,
                                          v_lines -> 0 ->> 'versions'));
    ELSIF key IS NOT NULL AND (cardinality(data) IS DISTINCT FROM v_count
                               OR array_position(data, NULL) IS NOT NULL) THEN
        PERFORM rule.backup_refuse('each version needs a payload');
    END IF;
    v_secret := rule.backup_secret(v_lines -> 0);
    FOR i IN 1..v_count LOOP
        v_line := v_lines -> (i - 1);
        v_version := rule.backup_version(v_line, data[i]);
        IF v_line -> 'secret' IS DISTINCT FROM v_lines #> '{0,secret}'
            OR v_line ->> 'secret_id' IS DISTINCT FROM v_lines #>> '{0,secret_id}'
            OR v_line ->> 'name' IS DISTINCT FROM v_lines #>> '{0,name}'
            OR v_line ->> 'path' IS DISTINCT FROM v_lines #>> '{0,path}' THEN
            PERFORM rule.backup_refuse('its versions differ in what they say of their secret');
        ELSIF v_version.revision <= v_last THEN
            PERFORM rule.backup_refuse(format('revision %s is not after revision %s',
                                              v_version.revision, v_last));
        ELSIF data[i] IS NOT NULL AND rule.payload_check(v_secret.type, data[i]) IS NOT NULL THEN
            PERFORM fail.operation_refused(
                format('revision %s of secret %s is not of type %s', v_version.revision,
                       v_secret.id, v_secret.type), 'give the type that it has in the document');
        END IF;
        v_last := v_version.revision;
        v_versions[i] := v_version;
    END LOOP;
    SELECT p.organization_id INTO v_secret.organization_id
      FROM store.project p WHERE p.id = v_secret.project_id;
    IF NOT FOUND THEN
        PERFORM fail.operation_refused(
            format('project %s of secret %s is not here', v_secret.project_id, v_secret.id),
            'operator.project_create() makes one of that id');
    END IF;
    PERFORM rule.backup_require_room(v_secret, v_count);
    PERFORM rule.backup_refuse_present(v_secret);
    v_known := auditor.secret_last_revision(v_secret.id);
    IF v_known > v_last AND NOT coalesce(older, false) THEN
        PERFORM fail.operation_refused(
            format('the audit knows revision %s of secret %s, and the document ends with %s',
                   v_known, v_secret.id, v_last),
            'take a newer backup, or restore the older value with --older');
    END IF;
    -- No revision that was given out is given again.
    v_secret.last_revision := greatest(v_secret.last_revision, v_known, v_last);
    v_secret.updated_at := clock_timestamp();
    -- No key and no payload is asked for in a database that a daemon would not serve.
    v_faults := rule.manifest_faults();
    IF v_faults <> '{}' THEN
        PERFORM fail.operation_refused(v_faults[1], 'nothing may be restored before that');
    END IF;

    BEGIN
        INSERT INTO store.secret VALUES (v_secret.*);
        v_kek_id := rule.backup_require_kek(v_secret, document, key);
    EXCEPTION
        WHEN SQLSTATE 'SM001' THEN
            GET STACKED DIAGNOSTICS v_challenge = PG_EXCEPTION_DETAIL;
            RETURN v_challenge::jsonb;
        WHEN unique_violation THEN          -- another has come between
            GET STACKED DIAGNOSTICS v_constraint = CONSTRAINT_NAME;
            IF v_constraint = 'secret_name' THEN
                PERFORM rule.backup_refuse_name(v_secret);
            END IF;
            PERFORM rule.backup_refuse_present(v_secret);
    END;
    FOR i IN 1..v_count LOOP
        v_version := v_versions[i];
        IF v_version.action = 'delete' AND NOT v_version.recoverable
            AND v_version.expires_at <= v_secret.updated_at THEN
            v_expired := v_expired || v_version.revision;
            CONTINUE;
        END IF;
        -- Encrypted in variables first: plaintext never stands in a statement that writes.
        v_dek := rule.crypto_dek();
        v_version.secret_id := v_secret.id;
        v_version.sealed := rule.crypto_encrypt(
            v_dek,
            rule.crypto_aad('pay', v_secret.project_id, v_secret.id, v_version.revision, NULL),
            rule.payload_encode(data[i], (v_lines #>> ARRAY[(i - 1)::text, 'data_crc32'])::bigint));
        v_wrapped := rule.crypto_encrypt(
            key, rule.crypto_aad('dek', v_secret.project_id, v_secret.id, v_version.revision,
                                 v_kek_id), v_dek);
        INSERT INTO store.version VALUES (v_version.*);
        INSERT INTO store.dek (secret_id, revision, kek_id, wrapped)
        VALUES (v_secret.id, v_version.revision, v_kek_id, v_wrapped);
        v_restored := v_restored || v_version.revision;
    END LOOP;
    PERFORM rule.audit_write_job('operator.secret_restore', v_secret, NULL,
                                 jsonb_build_object('reason', reason, 'revisions', v_restored,
                                                    'expired', v_expired,
                                                    'last_revision', v_secret.last_revision));
    RETURN jsonb_build_object('secret_id', v_secret.id, 'path', v_secret.path,
                              'name', v_secret.name, 'revisions', v_restored,
                              'expired', v_expired);
END
$$;
COMMENT ON FUNCTION operator.secret_restore(jsonb, bytea, bytea[], text, boolean) IS
    'Writes back a secret that is not in the database any more, with its versions, as `coffer '
    'recover` has printed them; data has their payloads. Without the wrap key it answers with a '
    'challenge, as an API function does. Refuses a secret of which the audit knows a newer '
    'version, unless older is true.';
