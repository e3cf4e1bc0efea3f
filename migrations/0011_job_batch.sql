-- Jobs whose batches end among many versions that expire at one instant, and whose settings they can use.

ALTER TABLE store.expiry_warning
    ADD COLUMN secret_id uuid    NOT NULL DEFAULT 'ffffffff-ffff-ffff-ffff-ffffffffffff',
    ADD COLUMN revision  integer NOT NULL DEFAULT 2147483647;
COMMENT ON COLUMN store.expiry_warning.secret_id IS
    'With revision: the last version with this expires_at that was warned of; by default all of them were.';

-- In the order in which the job goes on.
DROP INDEX store.version_expiry;
CREATE INDEX version_expiry ON store.version (expires_at, secret_id, revision) WHERE status = 'enabled' OR action = 'delete';

-- A length of time that cannot be subtracted from today failed each run of the jobs. What was to be kept for longer than
-- ten years is kept for ten years.
DO $$
DECLARE
    v_setting store.setting;
BEGIN
    FOR v_setting IN SELECT * FROM store.setting s WHERE s.name = 'purge_after' LOOP
        BEGIN
            CONTINUE WHEN v_setting.value::interval <= interval '10 years';
        EXCEPTION
            WHEN datetime_field_overflow OR interval_field_overflow OR invalid_datetime_format OR numeric_value_out_of_range THEN
                NULL;
        END;
        UPDATE store.setting s SET value = '120 months' WHERE s.name = v_setting.name;
    END LOOP;
END
$$;
