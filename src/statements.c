#include "statements.h"

/* Of PostgreSQL's pg_type, where they never change. */
#define BYTEA 17
#define INT4 23
#define TEXT 25
#define UUID 2950
#define JSONB 3802

/* clang-format off */
const struct statement statements[] = {
	{ STATEMENT_KEK_KEEP, "SELECT kek_id, root_id, wrapped FROM daemon.kek_keep($1, $2, $3, $4)", 4, { UUID, UUID, TEXT, BYTEA } },
	{ STATEMENT_JOB_RUN, "SELECT job.run($1)", 1, { INT4 } },
};

const struct statement statement_door =
	{ NULL, STATEMENT_DOOR_SQL, 4, { JSONB, BYTEA, BYTEA, BYTEA } };
/* clang-format on */

const size_t statements_count = sizeof(statements) / sizeof(statements[0]);
