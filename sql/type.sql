-- The rows and values that functions hand to each other. Nothing stored has one of these types, so
-- they can be made anew; but a call in flight holds values of those that were there, and fails when
-- they go. So a deploy makes them on trial, and takes that back when it gives what was there
-- already: see migrate.

DO $$
DECLARE
    v_drop text;
BEGIN
    FOR v_drop IN
        SELECT format('DROP %s %s RESTRICT', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TYPE' END,
                      string_agg(c.oid::regclass::text, ', '))
          FROM pg_catalog.pg_class c
         WHERE c.relnamespace
             = ANY ('{fail,rule,endpoint,job,api,daemon,operator,auditor}'::regnamespace[])
           AND c.relkind IN ('v', 'c')
         GROUP BY c.relkind ORDER BY c.relkind DESC
    LOOP
        EXECUTE v_drop;     -- dynamic: the names come from the catalogue
    END LOOP;
END
$$;

CREATE TYPE rule.caller AS (
    organization_id    uuid,
    principal_id       uuid,
    api_key_id         uuid,
    default_project_id uuid
);
COMMENT ON TYPE rule.caller IS 'Who calls, as the API key says.';

CREATE TYPE rule.ephemeral_policy AS (
    time_to_live          bigint,
    expires_once_accessed boolean,
    action                text
);
COMMENT ON TYPE rule.ephemeral_policy IS
    'What a secret says of its new versions; time_to_live in nanoseconds. action is null: there is '
    'no policy.';

CREATE TYPE rule.ephemeral_properties AS (
    expires_at            timestamptz,
    expires_once_accessed boolean,
    action                text,
    recoverable           boolean
);
COMMENT ON TYPE rule.ephemeral_properties IS
    'When and how a version expires. action is null: never. recoverable: the action delete '
    'schedules it for deletion.';

CREATE TYPE rule.rotation_policy AS (
    rotation_period  bigint,
    next_rotation_at timestamptz,
    given            boolean
);
COMMENT ON TYPE rule.rotation_policy IS
    'When a key is rotated; rotation_period in nanoseconds, null: never. given is null: nothing '
    'was said of it.';

CREATE TYPE rule.event_token AS (
    at timestamptz,
    id bigint
);
COMMENT ON TYPE rule.event_token IS 'The place of an event in a list.';

CREATE TYPE rule.event_filter AS (
    methods       text[],
    other_than    text[],
    project_id    uuid,
    resource_type text,
    secret_id     uuid,
    status        integer,
    principal_id  uuid,
    ip            inet,
    nothing       boolean
);
COMMENT ON TYPE rule.event_filter IS
    'What events are asked for; null: whatever. By method: those in methods and, if given, all '
    'other_than these. nothing: no event is like that.';

CREATE TYPE rule.version_encrypted AS (
    revision              integer,
    status                text,
    expires_once_accessed boolean,
    payload               bytea,
    kek_id                uuid,
    dek                   bytea,
    created_at            timestamptz,
    updated_at            timestamptz
);
COMMENT ON TYPE rule.version_encrypted IS
    'What of a version it takes to read it: its state now, and its payload and key, both sealed; '
    'and its times, for the audit.';

CREATE TYPE rule.rotation AS (
    rotation integer,
    kek_id   uuid,
    root_id  text,
    wrapped  bytea
);
COMMENT ON TYPE rule.rotation IS 'A rotation of a managed key, with its material as it is wrapped.';

CREATE TYPE rule.page AS (
    ids         uuid[],
    total_count bigint
);
COMMENT ON TYPE rule.page IS
    'One page of a list: the ids on it in their order, and how many there are on all pages.';

CREATE TYPE rule.outcome AS (
    status     smallint,
    body       text,
    project_id uuid,
    secret_id  uuid,
    revision   integer,
    snapshot   jsonb
);
COMMENT ON TYPE rule.outcome IS
    'What an endpoint function gives to its API function: the answer, and for the audit what the '
    'call concerned; snapshot is what events may show of that (rule.snapshot).';

CREATE TYPE api.answer AS (
    status       smallint,
    body         text,
    receipt      bigint,
    receipt_hash bytea
);
COMMENT ON TYPE api.answer IS
    'HTTP status, JSON body, and the id and the hash of the audit row. Status 0: nothing has '
    'happened, body says what the call needs.';

-- A version has expired from the very instant of expires_at, whether or not a job has come by to
-- write it down. rule.version_act stores what is seen here. An expired version whose action is
-- delete is seen only if it is recoverable.
CREATE VIEW rule.version_now AS
SELECT v.secret_id,
       v.revision,
       CASE WHEN v.action = 'delete' AND v.expires_at <= clock_timestamp()
              THEN 'scheduled_for_deletion'
            WHEN v.status = 'enabled' AND v.expires_at <= clock_timestamp() THEN 'disabled'
            ELSE v.status END AS status,
       CASE WHEN v.action = 'delete' AND v.expires_at <= clock_timestamp()
              THEN coalesce(v.status_to_restore, v.status)
            ELSE v.status_to_restore END AS status_to_restore,
       v.description,
       CASE WHEN v.action = 'delete' AND v.expires_at <= clock_timestamp() THEN NULL
            ELSE v.expires_at END AS expires_at,
       CASE WHEN v.action = 'delete' AND NOT v.expires_once_accessed
              AND v.expires_at <= clock_timestamp() THEN NULL
            ELSE v.expires_once_accessed END AS expires_once_accessed,
       CASE WHEN v.action = 'delete' AND NOT v.expires_once_accessed
              AND v.expires_at <= clock_timestamp() THEN NULL
            ELSE v.action END AS action,
       v.created_at,
       CASE WHEN v.status = 'enabled' AND v.action = 'disable' AND v.expires_at <= clock_timestamp()
              THEN v.expires_at
            ELSE v.updated_at END AS updated_at,
       CASE WHEN v.action = 'delete' AND v.expires_at <= clock_timestamp()
            THEN coalesce(v.deletion_requested_at, v.expires_at)
            ELSE v.deletion_requested_at END AS deletion_requested_at,
       v.sealed,
       v.recoverable
  FROM store.version v
 WHERE (v.action = 'delete' AND NOT v.recoverable AND v.expires_at <= clock_timestamp())
     IS NOT TRUE;
COMMENT ON VIEW rule.version_now IS
    'The versions as they are at this instant: expired ones are disabled, scheduled for deletion '
    'or gone, as their action says.';
GRANT SELECT ON rule.version_now TO coffer_owner;
