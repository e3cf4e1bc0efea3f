-- A dump that is restored makes the table of the audit anew, under another OID. A base backup, a standby that is promoted,
-- pg_upgrade and a deploy keep it; the identifier of the cluster, which says as much, is another one after pg_upgrade.

ALTER TABLE audit.epoch ADD COLUMN event_oid oid NOT NULL DEFAULT 'audit.event'::regclass::oid;
COMMENT ON COLUMN audit.epoch.event_oid IS
    'The OID of audit.event when the epoch began. Where it is another one now, a dump was restored, and no new epoch begun: nothing is written then (rule.audit_faults). A migration that makes audit.event anew sets it in the last epoch.';
