-- The audit that can be proved: seals over its rows, who signed them, and what time and retention have done to it.

-- Lives of the database -------------------------------------------------------

CREATE TABLE audit.epoch (
    epoch    integer     PRIMARY KEY,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    id_from  bigint      NOT NULL,
    reason   text        NOT NULL
);
COMMENT ON TABLE audit.epoch IS
    'The lives of this database. A restore begins a new one (operator.audit_epoch_begin), because transaction numbers and ids may then be given a second time. audit.event.epoch is the highest at its time.';
COMMENT ON COLUMN audit.epoch.id_from IS 'All rows of the epoch have this id or a higher one.';

INSERT INTO audit.epoch (epoch, id_from, reason) VALUES (1, 1, 'installed');

-- Seals -----------------------------------------------------------------------

CREATE TABLE store.signer (
    id         text        PRIMARY KEY CHECK (id ~ '^[0-9a-f]{16}$'),
    public_key bytea       NOT NULL UNIQUE CHECK (octet_length(public_key) = 32),
    root_id    text        NOT NULL,
    wrapped    bytea       NOT NULL CHECK (octet_length(wrapped) = 60),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    retired_at timestamptz
);
CREATE UNIQUE INDEX signer_active ON store.signer ((true)) WHERE retired_at IS NULL;
COMMENT ON TABLE store.signer IS
    'The Ed25519 keys that seals are signed with; at most one is not retired. The private key is wrapped under a root key that the database never sees.';
COMMENT ON COLUMN store.signer.id IS 'The first 8 bytes of SHA-256 of the public key.';

CREATE TABLE audit.seal (
    no         bigint      PRIMARY KEY,
    epoch      integer     NOT NULL,
    month      date        NOT NULL,
    xid_from   bigint      NOT NULL,
    xid_to     bigint      NOT NULL CHECK (xid_to >= xid_from),
    n          bigint      NOT NULL CHECK (n >= 0),
    root       bytea       NOT NULL CHECK (octet_length(root) = 32),
    prev       bytea       NOT NULL CHECK (octet_length(prev) = 32),
    sealed_at  timestamptz NOT NULL,
    hash       bytea       NOT NULL CHECK (octet_length(hash) = 32),
    signer     text        REFERENCES store.signer,
    signature  bytea       CHECK (octet_length(signature) = 64),
    instance   uuid,
    taken_at   timestamptz,
    anchored_at timestamptz,
    CHECK ((signer IS NULL) = (signature IS NULL)),
    CHECK (anchored_at IS NULL OR signature IS NOT NULL)
);
-- What a daemon has still to do: seals that are not signed and anchored.
CREATE INDEX seal_open ON audit.seal (no) WHERE anchored_at IS NULL;
CREATE INDEX seal_month ON audit.seal (epoch, month, xid_from);
CREATE INDEX seal_sealed_at ON audit.seal (sealed_at);
COMMENT ON TABLE audit.seal IS
    'One link of the chain over the audit: the rows of one month whose transactions are in [xid_from, xid_to). Seals are never removed.';
COMMENT ON COLUMN audit.seal.month IS
    'The month of the rows by their column at, which is their partition: so a month can be dropped, and no seal loses half of its rows.';
COMMENT ON COLUMN audit.seal.n IS 'The number of rows.';
COMMENT ON COLUMN audit.seal.root IS 'SHA-256 over the hashes of the rows, in the order of xid and id.';
COMMENT ON COLUMN audit.seal.prev IS 'The hash of the seal before.';
COMMENT ON COLUMN audit.seal.hash IS
    'SHA-256 of ''coffer-se1'' and, big-endian, no (8), epoch (4), month (4: days since 2000-01-01), xid_from (8), xid_to (8), n (8), root (32), prev (32), sealed_at (8: microseconds since 2000-01-01 UTC).';
COMMENT ON COLUMN audit.seal.signature IS 'Ed25519 over hash, made in a daemon.';
COMMENT ON COLUMN audit.seal.instance IS 'The daemon that signs and anchors it, since taken_at.';
COMMENT ON COLUMN audit.seal.anchored_at IS 'When that daemon had written it down outside of the database.';

-- Every chain begins with a seal over nothing, whose root is random: no two databases have chains alike, and an audit
-- that was emptied together with its seals is not like a new one.
INSERT INTO audit.seal (no, epoch, month, xid_from, xid_to, n, root, prev, sealed_at, hash)
SELECT no, epoch, month, xid, xid, n, root, prev, at,
       sha256('coffer-se1'::bytea || int8send(no) || int4send(epoch) || date_send(month) || int8send(xid) || int8send(xid)
              || int8send(n) || root || prev || timestamptz_send(at))
  FROM (SELECT 0::bigint AS no, 1 AS epoch, date_trunc('month', now() AT TIME ZONE 'UTC')::date AS month,
               coalesce((SELECT min(e.xid) FROM audit.event e),
                        pg_snapshot_xmin(pg_current_snapshot())::text::bigint) AS xid,
               0::bigint AS n,
               sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) AS root,
               decode(repeat('00', 32), 'hex') AS prev,
               clock_timestamp() AS at) AS genesis;

-- Retention ---------------------------------------------------------------------

CREATE TABLE audit.month (
    month       date        PRIMARY KEY,
    exported_at timestamptz NOT NULL,
    dropped_at  timestamptz
);
COMMENT ON TABLE audit.month IS
    'The months that were exported and dropped. Their seals stay.';

-- The feed of changes -----------------------------------------------------------

CREATE TABLE audit.settled (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    id       bigint  NOT NULL,
    next_id  bigint  NOT NULL,
    next_xid bigint  NOT NULL
);
COMMENT ON TABLE audit.settled IS 'Up to which id the audit is complete: daemon.seal_begin moves it on.';
COMMENT ON COLUMN audit.settled.id IS 'No row with this id or a lower one will appear any more.';
COMMENT ON COLUMN audit.settled.next_id IS
    'The highest id that had been given before next_xid was: id may move on to it once all transactions below next_xid have ended.';

INSERT INTO audit.settled (id, next_id, next_xid) VALUES (0, 0, 0);

-- The index of changes is small, because it leaves out reads, which are nearly all there is. It knows them by name: a
-- read that is made later is in the index without harm, a change is never missing from it.
CREATE INDEX event_change ON audit.event (id)
 WHERE error IS NULL
   AND method <> ALL ('{secret_get,secret_list,secret_browse,secret_type_list,tag_list,secret_version_get,
                        secret_version_list,secret_version_access,secret_version_access_by_path,audit_event_list,
                        change_list}');

CREATE TABLE store.expiry_warning (
    days    integer     PRIMARY KEY CHECK (days > 0),
    reached timestamptz NOT NULL
);
COMMENT ON TABLE store.expiry_warning IS
    'How many days before its expiry a version is warned of, and which expires_at the warnings have reached.';

INSERT INTO store.expiry_warning (days, reached)
SELECT days, now() + days * interval '1 day' FROM unnest('{30,7,1}'::integer[]) AS days;

-- What auditors ask -------------------------------------------------------------

-- A call has an API key, and a key one principal: by key serves both questions, and costs a call no more than by principal.
DROP INDEX audit.event_principal;
CREATE INDEX event_api_key ON audit.event (api_key_id, at);
-- What was done to a principal, and by whom without a key; no call of the API is in it, but for the unauthenticated.
CREATE INDEX event_principal ON audit.event (principal_id, at) WHERE api_key_id IS NULL;
CREATE INDEX event_refusal ON audit.event (at) WHERE error IS NOT NULL;
-- The audit of an organization, page by page.
CREATE INDEX event_organization ON audit.event (organization_id, at, id);
