-- What Coffer stores about identities, keys and secrets.

-- Identity -------------------------------------------------------------------

CREATE TABLE store.organization (
    id         uuid        PRIMARY KEY,
    name       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE store.organization IS 'A tenant: organizations never see each other.';

CREATE TABLE store.project (
    id              uuid        PRIMARY KEY,
    organization_id uuid        NOT NULL REFERENCES store.organization,
    name            text        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE store.project IS 'What secrets and policies belong to; the unit of one key-encryption key.';
CREATE INDEX project_organization ON store.project (organization_id);

CREATE TABLE store.principal (
    id              uuid        PRIMARY KEY,
    organization_id uuid        NOT NULL REFERENCES store.organization,
    kind            text        NOT NULL CHECK (kind IN ('application', 'user')),
    name            text        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE store.principal IS 'An application or a user: who calls the API, whatever the API key.';

CREATE TABLE store.api_key (
    id                 uuid        PRIMARY KEY,
    principal_id       uuid        NOT NULL REFERENCES store.principal,
    access_key         text        NOT NULL UNIQUE CHECK (access_key ~ '^SCW[A-Z0-9]{17}$'),
    digest             bytea       NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    default_project_id uuid        REFERENCES store.project ON DELETE SET NULL,
    description        text        NOT NULL DEFAULT '',
    created_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at         timestamptz,
    revoked_at         timestamptz
);
COMMENT ON TABLE store.api_key IS 'A credential of a principal. The secret key itself is nowhere in the database.';
COMMENT ON COLUMN store.api_key.digest IS
    'HMAC-SHA256(pepper, secret key). The pepper is opened only in the daemon, so who can write this table still cannot make a key that works.';

CREATE TABLE store.policy (
    id           uuid        PRIMARY KEY,
    principal_id uuid        NOT NULL REFERENCES store.principal,
    name         text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX policy_principal ON store.policy (principal_id);
COMMENT ON TABLE store.policy IS 'A named set of rights of one principal.';

CREATE TABLE store.policy_rule (
    policy_id      uuid NOT NULL REFERENCES store.policy ON DELETE CASCADE,
    permission_set text NOT NULL,
    project_id     uuid REFERENCES store.project ON DELETE CASCADE,
    UNIQUE NULLS NOT DISTINCT (policy_id, permission_set, project_id)
);
COMMENT ON TABLE store.policy_rule IS 'One permission set on one project, or on all of the organization when project_id is null.';

CREATE TABLE store.quota (
    organization_id uuid    NOT NULL REFERENCES store.organization ON DELETE CASCADE,
    resource        text    NOT NULL CHECK (resource IN ('secret', 'secret_version')),
    quota           integer NOT NULL CHECK (quota >= 0),
    PRIMARY KEY (organization_id, resource)
);
COMMENT ON TABLE store.quota IS 'Quotas that differ from the default: secrets of an organization, versions of one secret.';

CREATE TABLE store.setting (
    name  text PRIMARY KEY,
    value text NOT NULL
);
COMMENT ON TABLE store.setting IS 'Settings of the operator that differ from the default; rule.setting knows names and defaults.';

-- Keys -----------------------------------------------------------------------

CREATE TABLE store.pepper (
    only_one boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
    root_id  text        NOT NULL,
    wrapped  bytea       NOT NULL CHECK (octet_length(wrapped) = 60),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE store.pepper IS 'The key of all API key digests, wrapped under a root key that the database never sees.';

CREATE TABLE store.kek (
    id         uuid        PRIMARY KEY,
    project_id uuid        NOT NULL REFERENCES store.project,
    root_id    text        NOT NULL,
    wrapped    bytea       NOT NULL CHECK (octet_length(wrapped) = 60),
    active     boolean     NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX kek_active ON store.kek (project_id) WHERE active;
COMMENT ON TABLE store.kek IS 'Key-encryption keys of projects, wrapped under a root key; at most one of a project is active.';

CREATE TABLE store.instance (
    id       uuid        PRIMARY KEY,
    build    text        NOT NULL,
    root_ids text[]      NOT NULL,
    seen_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE store.instance IS 'The daemons that have connected, the root keys they hold and when they last said so.';

-- Secrets --------------------------------------------------------------------

CREATE TABLE store.secret (
    id                    uuid        PRIMARY KEY,
    organization_id       uuid        NOT NULL REFERENCES store.organization,
    project_id            uuid        NOT NULL REFERENCES store.project,
    region                text        NOT NULL,
    path                  text        COLLATE "C" NOT NULL,
    name                  text        COLLATE "C" NOT NULL,
    type                  text        NOT NULL,
    description           text        NOT NULL,
    tags                  text[]      NOT NULL,
    used_by               text[]      NOT NULL DEFAULT '{}',
    status                text        NOT NULL DEFAULT 'ready' CHECK (status IN ('ready', 'locked')),
    protected             boolean     NOT NULL,
    managed_by            text,
    time_to_live          bigint      CHECK (time_to_live > 0),
    expires_once_accessed boolean,
    action                text        CHECK (action IN ('disable', 'delete')),
    last_revision         integer     NOT NULL DEFAULT 0,
    created_at            timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL,
    deletion_requested_at timestamptz,
    CHECK ((action IS NULL) = (expires_once_accessed IS NULL)),
    CHECK (action IS NOT NULL OR time_to_live IS NULL)
);
-- A name is free again as soon as its secret is scheduled for deletion.
CREATE UNIQUE INDEX secret_name ON store.secret (project_id, region, path, name) WHERE deletion_requested_at IS NULL;
CREATE INDEX secret_organization ON store.secret (organization_id);
CREATE INDEX secret_project ON store.secret (project_id);
CREATE INDEX secret_purge ON store.secret (deletion_requested_at) WHERE deletion_requested_at IS NOT NULL;
COMMENT ON TABLE store.secret IS 'A secret without its values.';
COMMENT ON COLUMN store.secret.managed_by IS 'The product that alone may change or delete the secret; null: it is not managed.';
COMMENT ON COLUMN store.secret.time_to_live IS 'Ephemeral policy: nanoseconds from the creation of a version to its expiry; null: no limit.';
COMMENT ON COLUMN store.secret.action IS 'Ephemeral policy: what happens to a version at its expiry; null: the secret has no policy.';
COMMENT ON COLUMN store.secret.last_revision IS 'The highest revision ever given, so that none is given twice.';

CREATE TABLE store.version (
    secret_id             uuid        NOT NULL REFERENCES store.secret ON DELETE CASCADE,
    revision              integer     NOT NULL CHECK (revision > 0),
    status                text        NOT NULL CHECK (status IN ('enabled', 'disabled', 'scheduled_for_deletion')),
    status_to_restore     text        CHECK (status_to_restore IN ('enabled', 'disabled')),
    description           text        NOT NULL,
    expires_at            timestamptz,
    expires_once_accessed boolean,
    action                text        CHECK (action IN ('disable', 'delete')),
    created_at            timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL,
    deletion_requested_at timestamptz,
    sealed                bytea       NOT NULL CHECK (get_byte(sealed, 0) = 1),
    PRIMARY KEY (secret_id, revision),
    CHECK ((status = 'scheduled_for_deletion') = (deletion_requested_at IS NOT NULL)),
    CHECK ((status = 'scheduled_for_deletion') = (status_to_restore IS NOT NULL)),
    CHECK ((action IS NULL) = (expires_once_accessed IS NULL)),
    CHECK (action IS NOT NULL OR expires_at IS NULL)
);
CREATE INDEX version_expiry ON store.version (expires_at) WHERE status = 'enabled' OR action = 'delete';
CREATE INDEX version_purge ON store.version (deletion_requested_at) WHERE deletion_requested_at IS NOT NULL;
COMMENT ON TABLE store.version IS 'One value of a secret, sealed. Its key is in store.dek.';
COMMENT ON COLUMN store.version.status IS 'As last stored; rule.version_now is what holds at this instant, expiry included.';
COMMENT ON COLUMN store.version.sealed IS 'SEAL(DEK, payload), layout in rule.seal and rule.payload_frame.';

CREATE TABLE store.dek (
    secret_id uuid    NOT NULL,
    revision  integer NOT NULL,
    kek_id    uuid    NOT NULL REFERENCES store.kek,
    wrapped   bytea   NOT NULL CHECK (get_byte(wrapped, 0) = 1),
    PRIMARY KEY (secret_id, revision),
    FOREIGN KEY (secret_id, revision) REFERENCES store.version ON DELETE CASCADE
);
CREATE INDEX dek_kek ON store.dek (kek_id);
COMMENT ON TABLE store.dek IS
    'The data-encryption key of a version, sealed under the access key of its secret. A table of its own: without this row the version is unreadable for ever.';
