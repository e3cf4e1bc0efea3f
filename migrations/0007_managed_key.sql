-- Keys of the Key Manager: for callers to encrypt with, and for secrets to be under.

CREATE TABLE store.managed_key (
    id                    uuid        PRIMARY KEY,
    organization_id       uuid        NOT NULL REFERENCES store.organization,
    project_id            uuid        NOT NULL REFERENCES store.project,
    region                text        NOT NULL,
    name                  text        COLLATE "C" NOT NULL,
    description           text,
    tags                  text[]      NOT NULL,
    enabled               boolean     NOT NULL DEFAULT true,
    protected             boolean     NOT NULL,
    rotation_count        integer     NOT NULL DEFAULT 1 CHECK (rotation_count > 0),
    rotation_period       bigint      CHECK (rotation_period > 0),
    next_rotation_at      timestamptz,
    created_at            timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL,
    rotated_at            timestamptz NOT NULL,
    deletion_requested_at timestamptz,
    CHECK ((rotation_period IS NULL) = (next_rotation_at IS NULL))
);
CREATE INDEX managed_key_organization ON store.managed_key (organization_id);
CREATE INDEX managed_key_project ON store.managed_key (project_id, region);
CREATE INDEX managed_key_rotation ON store.managed_key (next_rotation_at)
 WHERE enabled AND deletion_requested_at IS NULL AND next_rotation_at IS NOT NULL;
CREATE INDEX managed_key_purge ON store.managed_key (deletion_requested_at) WHERE deletion_requested_at IS NOT NULL;
COMMENT ON TABLE store.managed_key IS 'A key of the Key Manager, without its material: that of each rotation is a row of store.kek.';
COMMENT ON COLUMN store.managed_key.enabled IS 'As it was last enabled or disabled, which is what a restore goes back to.';
COMMENT ON COLUMN store.managed_key.rotation_count IS 'The number of the newest rotation, which is the active one of its rows in store.kek.';
COMMENT ON COLUMN store.managed_key.rotation_period IS 'Rotation policy: nanoseconds from one rotation to the next; null: there is no policy.';

-- The material of a rotation is kept as a key-encryption key is, and so it moves to another root key with them.
ALTER TABLE store.kek
    ADD COLUMN key_id uuid REFERENCES store.managed_key,
    ADD COLUMN rotation integer CHECK (rotation > 0),
    ADD CHECK ((key_id IS NULL) = (rotation IS NULL));
DROP INDEX store.kek_active;
CREATE UNIQUE INDEX kek_active ON store.kek (project_id) WHERE active AND key_id IS NULL;
CREATE UNIQUE INDEX kek_active_rotation ON store.kek (key_id) WHERE active;
CREATE UNIQUE INDEX kek_rotation ON store.kek (key_id, rotation);
COMMENT ON TABLE store.kek IS
    'Key-encryption keys of projects and the rotations of managed keys, wrapped under a root key; at most one of a project or of a managed key is active.';
COMMENT ON COLUMN store.kek.key_id IS 'The managed key that this is a rotation of; null: it is a key of the project itself.';

-- No foreign key: a secret goes on naming a key that has been purged, and its versions stay unreadable.
ALTER TABLE store.secret ADD COLUMN key_id uuid;
COMMENT ON COLUMN store.secret.key_id IS
    'The managed key that versions of the secret are under, even when it is there no more; null: they are under a key of the project.';

ALTER TABLE store.quota
    DROP CONSTRAINT quota_resource_check,
    ADD CONSTRAINT quota_resource_check CHECK (resource IN ('secret', 'secret_version', 'key'));
COMMENT ON TABLE store.quota IS
    'Quotas that differ from the default: secrets of an organization, versions of one secret, keys of an organization.';

COMMENT ON COLUMN audit.event.secret_id IS
    'The secret, or of methods about keys (key_*, job.key_*, operator.key_*) the key, that the event concerns.';
