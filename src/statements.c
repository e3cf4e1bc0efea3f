#include "statements.h"

/* Of PostgreSQL's pg_type, where they never change. */
#define BYTEA 17
#define INT4 23
#define INT8 20
#define TEXT 25
#define UUID 2950
#define JSONB 3802

/* clang-format off */
const struct statement statements[] = {
	{ STATEMENT_KEK_KEEP, "SELECT kek_id, root_id, wrapped FROM daemon.kek_keep($1, $2, $3, $4)", 4, { UUID, UUID, TEXT, BYTEA } },
	{ STATEMENT_JOB_RUN, "SELECT job.run($1)", 1, { INT4 } },
	{ STATEMENT_SEAL_BEGIN, "SELECT no, hash, signer FROM daemon.seal_begin() LIMIT 2", 0, { 0 } },
	{ STATEMENT_SEAL_SIGN, "SELECT daemon.seal_sign($1, $2, $3)", 3, { INT8, TEXT, BYTEA } },
	{ STATEMENT_SIGNER_GET, "SELECT root_id, wrapped FROM daemon.signer_get()", 0, { 0 } },
	{ STATEMENT_SIGNER_KEEP, "SELECT root_id, wrapped FROM daemon.signer_keep($1, $2, $3)", 3, { BYTEA, TEXT, BYTEA } },
	{ STATEMENT_ANCHOR_BEGIN, "SELECT no, hash, signer, signature FROM daemon.anchor_begin($1)", 1, { UUID } },
	{ STATEMENT_ANCHOR_END, "SELECT daemon.anchor_end($1)", 1, { INT8 } },
	{ STATEMENT_AUDIT_STATE, "SELECT seal_lag, unanchored, months_ahead, last_change FROM daemon.audit_state()", 0, { 0 } },
};

const struct statement statement_door =
	{ NULL, STATEMENT_DOOR_SQL, 4, { JSONB, BYTEA, BYTEA, BYTEA } };
/* clang-format on */

const size_t statements_count = sizeof(statements) / sizeof(statements[0]);
