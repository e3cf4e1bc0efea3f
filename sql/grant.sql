-- Who may do what in the database. Functions were just made anew, so every right on them is given
-- here, and only here; what a deploy may keep has its rights in type.sql and argument.sql. What
-- exec may do with a table is as little as its functions need: column by column, and on the audit
-- nothing but INSERT.

SET LOCAL ROLE coffer_owner;
GRANT SELECT ON store.organization, store.project, store.principal, store.api_key, store.policy,
      store.policy_rule,
                store.quota, store.setting, store.pepper, store.kek, store.instance, store.secret,
                    store.secret_count,
                store.version, store.dek, store.request, store.migration, store.signer,
                    store.expiry_warning,
                store.root_key, store.manifest, store.managed_key TO coffer_exec;
GRANT SELECT ON audit.epoch, audit.seal TO coffer_exec;
GRANT INSERT ON store.organization, store.project, store.principal, store.api_key, store.policy,
      store.policy_rule,
                store.quota, store.setting, store.pepper, store.kek, store.instance, store.secret,
                    store.version,
                store.dek, store.request, store.signer, store.root_key,
                    store.managed_key TO coffer_exec;
GRANT DELETE ON store.project, store.policy, store.kek, store.secret, store.version, store.request,
      store.managed_key,
                store.dek, store.instance TO coffer_exec;
-- so that a row can be locked
GRANT UPDATE (name) ON store.organization, store.project TO coffer_exec;
GRANT UPDATE (revoked_at) ON store.api_key TO coffer_exec;
GRANT UPDATE (quota) ON store.quota TO coffer_exec;
GRANT UPDATE (repeats) ON store.request TO coffer_exec;
GRANT UPDATE (value) ON store.setting TO coffer_exec;
GRANT UPDATE (retired_at) ON store.signer TO coffer_exec;
GRANT UPDATE (reached, secret_id, revision) ON store.expiry_warning TO coffer_exec;
GRANT UPDATE (signer, signature, instance, taken_at, anchored_at) ON audit.seal TO coffer_exec;
GRANT UPDATE (build, root_ids, seen_at, binds) ON store.instance TO coffer_exec;
GRANT UPDATE (path, name, description, tags, used_by, status, protected, managed_by, time_to_live,
              expires_once_accessed, action, policy_origin, last_revision, updated_at,
                  deletion_requested_at)
   ON store.secret TO coffer_exec;
GRANT UPDATE (status, status_to_restore, description, expires_at, expires_once_accessed, action,
              recoverable, updated_at,
              deletion_requested_at) ON store.version TO coffer_exec;
GRANT UPDATE (active, activated_at, retired_at) ON store.root_key TO coffer_exec;
GRANT UPDATE (name, description, tags, enabled, protected, rotation_count, rotation_period,
              next_rotation_at, updated_at,
              rotated_at, deletion_requested_at) ON store.managed_key TO coffer_exec;
-- Keys change hands, never values: what is under a key moves to another, and stays what it is.
GRANT UPDATE (root_id, wrapped) ON store.pepper, store.signer TO coffer_exec;
GRANT UPDATE (root_id, wrapped, active, rotate_requested_at) ON store.kek TO coffer_exec;
GRANT UPDATE (kek_id, wrapped) ON store.dek TO coffer_exec;
GRANT INSERT ON audit.event TO coffer_exec;
GRANT USAGE ON SEQUENCE audit.event_id TO coffer_exec;
GRANT USAGE ON SCHEMA auditor TO coffer_auditor;
GRANT SELECT ON ALL TABLES IN SCHEMA auditor TO coffer_auditor;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA auditor TO coffer_auditor;
-- What of the audit an endpoint or an operator function may see.
GRANT EXECUTE ON FUNCTION auditor.changes(text, integer, uuid[], text, uuid), auditor.changes_end(),
                          auditor.event_page(uuid, timestamptz, timestamptz, boolean, timestamptz,
                                             bigint, integer,
                                             rule.event_filter),
                          auditor.secret_last_revision(uuid) TO coffer_exec;
RESET ROLE;

SET LOCAL ROLE coffer_exec;
GRANT USAGE ON SCHEMA api, daemon, job TO coffer_api;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA api, daemon, job TO coffer_api;
GRANT USAGE ON SCHEMA operator, daemon, job TO coffer_operator;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA operator, job TO coffer_operator;
GRANT SELECT ON ALL TABLES IN SCHEMA operator TO coffer_operator;
GRANT EXECUTE ON FUNCTION daemon.pepper_get(), daemon.pepper_keep(text, bytea),
                          daemon.kek_keep(uuid, uuid, text, bytea) TO coffer_operator;
RESET ROLE;

-- What reads the audit, or makes and drops its partitions, is done as the owner of the audit.
SET LOCAL ROLE coffer_exec;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA rule, fail TO coffer_owner;
RESET ROLE;
ALTER FUNCTION job.audit_partition_create(integer) OWNER TO coffer_owner;
ALTER FUNCTION job.audit_seal(bigint) OWNER TO coffer_owner;
ALTER FUNCTION daemon.audit_state() OWNER TO coffer_owner;
ALTER FUNCTION daemon.seen_faults(jsonb) OWNER TO coffer_owner;
ALTER FUNCTION daemon.epoch_begin(jsonb) OWNER TO coffer_owner;
ALTER FUNCTION operator.audit_epoch_begin(text) OWNER TO coffer_owner;
ALTER FUNCTION operator.audit_export_month(date) OWNER TO coffer_owner;
ALTER FUNCTION operator.audit_export_seals(date) OWNER TO coffer_owner;
ALTER FUNCTION operator.audit_drop_month(date) OWNER TO coffer_owner;
SET LOCAL ROLE coffer_owner;
GRANT EXECUTE ON FUNCTION job.audit_partition_create(integer), job.audit_seal(bigint),
      daemon.audit_state(),
                          daemon.seen_faults(jsonb) TO coffer_exec;
RESET ROLE;
