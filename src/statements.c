#include "statements.h"

/* Of PostgreSQL's pg_type, where they never change. */
#define BYTEA 17
#define INT4 23
#define INT8 20
#define TEXT 25
#define UUID 2950
#define JSONB 3802
#define BYTEAS 1001
#define TEXTS 1009
#define UUIDS 2951

/* clang-format off */
const struct statement statements[] = {
	{ STATEMENT_KEK_KEEP, "SELECT kek_id, root_id, wrapped FROM daemon.kek_keep($1, $2, $3, $4)", 4, { UUID, UUID, TEXT, BYTEA } },
	{ STATEMENT_WRAPPED_DUE, "SELECT id, project_id, root_id, wrapped, active_root_id, key_id, rotation FROM daemon.wrapped_due($1, $2)", 2, { UUID, INT4 } },
	{ STATEMENT_UNBOUND_DUE, "SELECT id, project_id, root_id, wrapped, active_root_id, key_id, rotation FROM daemon.unbound_due($1, $2, $3)", 3, { UUID, INT4, UUID } },
	{ STATEMENT_WRAPPED_KEEP, "SELECT daemon.wrapped_keep($1, $2, $3, $4), 0::bigint, false", 4, { UUIDS, TEXTS, TEXT, BYTEAS } },
	{ STATEMENT_KEK_DUE, "SELECT kek_id, project_id, active_root_id FROM daemon.kek_due($1, $2)", 2, { UUID, INT4 } },
	{ STATEMENT_KEK_REPLACE, "SELECT daemon.kek_replace($1, $2, $3, $4), 0::bigint, false", 4, { UUIDS, UUIDS, TEXT, BYTEAS } },
	{ STATEMENT_DEK_DUE, "SELECT secret_id, project_id, old_id, old_root_id, old_wrapped, new_id, new_root_id, new_wrapped, key_id, old_rotation, new_rotation FROM daemon.dek_due($1, $2)", 2, { UUID, INT4 } },
	{ STATEMENT_DEK_REWRAP, "SELECT moved, broken, more FROM daemon.dek_rewrap($1, $2, $3, $4, $5)", 5, { UUIDS, UUIDS, UUIDS, BYTEAS, BYTEAS } },
	{ STATEMENT_KEY_ROTATE_DUE, "SELECT key_id, project_id, active_root_id, rotation FROM daemon.key_rotate_due($1)", 1, { INT4 } },
	{ STATEMENT_KEY_ROTATE, "SELECT daemon.key_rotate($1, $2, $3, $4, $5)", 5, { UUID, UUID, TEXT, BYTEA, INT4 } },
	{ STATEMENT_JOB_LIST, "SELECT job.list()", 0, { 0 } },
	{ STATEMENT_JOB_RUN, "SELECT job.run($1, $2)", 2, { TEXT, INT4 } },
	{ STATEMENT_SEAL_BEGIN, "SELECT no, hash, signer FROM daemon.seal_begin() LIMIT 2", 0, { 0 } },
	{ STATEMENT_SEAL_SIGN, "SELECT daemon.seal_sign($1, $2, $3)", 3, { INT8, TEXT, BYTEA } },
	{ STATEMENT_SIGNER_GET, "SELECT root_id, wrapped FROM daemon.signer_get()", 0, { 0 } },
	{ STATEMENT_SIGNER_KEEP, "SELECT root_id, wrapped FROM daemon.signer_keep($1, $2, $3)", 3, { BYTEA, TEXT, BYTEA } },
	{ STATEMENT_ANCHOR_BEGIN, "SELECT no, hash, signer, signature, epoch FROM daemon.anchor_begin($1)", 1, { UUID } },
	{ STATEMENT_ANCHOR_END, "SELECT daemon.anchor_end($1)", 1, { INT8 } },
	{ STATEMENT_AUDIT_STATE, "SELECT seal_lag, unanchored, months_ahead, last_change, unsealed, anchor_lag, daemon.warnings()::text, (" STATEMENT_COMMIT_WAIT_SQL "), epoch, seal, seal_hash, sealed_to, xid_end, (" STATEMENT_CLOCK_SQL ") FROM daemon.audit_state()", 0, { 0 } },
	{ STATEMENT_AUDIT_PROBE, "SELECT daemon.audit_probe()", 0, { 0 } },
	{ STATEMENT_SESSION_FAULTS, "SELECT array_to_json(daemon.session_faults())::text", 0, { 0 } },
};

const struct statement statement_door =
	{ NULL, STATEMENT_DOOR_SQL, 4, { JSONB, BYTEA, BYTEA, BYTEA } };
/* clang-format on */

const size_t statements_count = sizeof(statements) / sizeof(statements[0]);
