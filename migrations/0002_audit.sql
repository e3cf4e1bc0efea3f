-- The audit: one row a call, only ever inserted, partitioned by month.

CREATE SEQUENCE audit.event_id AS bigint;

CREATE TABLE audit.event (
    id              bigint      NOT NULL,
    xid             bigint      NOT NULL,
    epoch           integer     NOT NULL,
    at              timestamptz NOT NULL,
    instance        uuid,
    request_id      uuid,
    database_role   text        NOT NULL,
    organization_id uuid,
    principal_id    uuid,
    api_key_id      uuid,
    ip              inet,
    user_agent      text,
    method          text        NOT NULL,
    region          text,
    project_id      uuid,
    secret_id       uuid,
    revision        integer,
    status          smallint    NOT NULL,
    error           text,
    request         jsonb,
    hash            bytea       NOT NULL CHECK (octet_length(hash) = 32)
) PARTITION BY RANGE (at);

CREATE INDEX event_xid ON audit.event USING brin (xid) WITH (autosummarize = on);
CREATE INDEX event_secret ON audit.event (secret_id, at);
CREATE INDEX event_principal ON audit.event (principal_id, at);

COMMENT ON TABLE audit.event IS 'Who did what, when, from where and with what result. Each row carries its own hash; rule.audit_write alone writes here.';
COMMENT ON COLUMN audit.event.xid IS 'The transaction that wrote the row: all rows below pg_snapshot_xmin are complete, which id order does not give.';
COMMENT ON COLUMN audit.event.epoch IS 'Counts the lives of this database: transaction numbers begin anew after a logical restore.';
COMMENT ON COLUMN audit.event.method IS 'The endpoint function; job.* for what ran on a timer, operator.* for what a DBA called.';
COMMENT ON COLUMN audit.event.error IS 'The type of the refusal, null if the call was carried out.';
COMMENT ON COLUMN audit.event.request IS 'The known arguments of the call; never a payload or anything derived from one.';

-- Months ahead. job.audit_partition_create goes on from here in the same way.
DO $$
DECLARE
    v_month date := date_trunc('month', now() AT TIME ZONE 'UTC');
BEGIN
    FOR i IN 0..12 LOOP
        EXECUTE format('CREATE TABLE audit.%I PARTITION OF audit.event FOR VALUES FROM (%L) TO (%L)',
                       to_char(v_month, '"event_"YYYY_MM'),
                       v_month::timestamp AT TIME ZONE 'UTC',
                       (v_month + interval '1 month') AT TIME ZONE 'UTC');
        v_month := v_month + interval '1 month';
    END LOOP;
END
$$;
