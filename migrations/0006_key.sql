-- Root keys by their fingerprints, keys that are to be replaced, and what a deploy has left.

CREATE TABLE store.root_key (
    id            text        PRIMARY KEY,
    active        boolean     NOT NULL DEFAULT false,
    first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    activated_at  timestamptz,
    retired_at    timestamptz,
    CHECK (NOT active OR (activated_at IS NOT NULL AND retired_at IS NULL))
);
CREATE UNIQUE INDEX root_key_active ON store.root_key (active) WHERE active;
COMMENT ON TABLE store.root_key IS
    'The fingerprints of the root keys that daemons have had, so that a restored backup says which key it needs. The keys themselves are nowhere in the database.';
COMMENT ON COLUMN store.root_key.active IS 'What is wrapped now is wrapped under this one, and what was wrapped under others moves to it.';

INSERT INTO store.root_key (id, first_seen_at)
SELECT root_id, min(created_at)
  FROM (SELECT root_id, created_at FROM store.pepper
        UNION ALL
        SELECT root_id, created_at FROM store.signer
        UNION ALL
        SELECT root_id, created_at FROM store.kek) AS wrapped
 GROUP BY root_id;
UPDATE store.root_key SET active = true, activated_at = first_seen_at WHERE id = (SELECT root_id FROM store.pepper);

ALTER TABLE store.kek ADD COLUMN rotate_requested_at timestamptz;
COMMENT ON COLUMN store.kek.rotate_requested_at IS 'Since when a daemon is to put a new key in the place of this one.';
CREATE INDEX kek_rotate ON store.kek (id) WHERE active AND rotate_requested_at IS NOT NULL;
CREATE INDEX kek_old ON store.kek (id) WHERE NOT active;

CREATE TABLE store.manifest (
    object text  PRIMARY KEY,
    sha256 bytea NOT NULL
);
COMMENT ON TABLE store.manifest IS
    'What the last deploy left: each function, view, table and schema with its owner and rights. Daemons refuse to serve anything else.';
