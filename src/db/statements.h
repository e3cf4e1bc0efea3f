/*
 * The statements that are prepared on every connection, besides the API functions of
 * the endpoints.
 */
#ifndef COFFER_STATEMENTS_H
#define COFFER_STATEMENTS_H

#include <libpq-fe.h>
#include <stddef.h>

#include "db/columns.h"

#define STATEMENT_PARAMETERS_MAX 5
#define STATEMENT_BATCH 64 /* rows that a statement is asked for, at most */
#define STATEMENT_BATCH_TEXT "64"

struct statement {
	const char *name;
	const char *sql;
	size_t count;
	Oid types[STATEMENT_PARAMETERS_MAX];
	struct columns columns; /* what it gives */
};

#define STATEMENT_KEK_KEEP "kek_keep"
#define STATEMENT_JOB_LIST "job_list"
#define STATEMENT_AUDIT_PROBE "audit_probe"
#define STATEMENT_JOB_RUN "job_run"
#define STATEMENT_SEAL_BEGIN "seal_begin"
#define STATEMENT_SEAL_SIGN "seal_sign"
#define STATEMENT_SIGNER_GET "signer_get"
#define STATEMENT_SIGNER_KEEP "signer_keep"
#define STATEMENT_ANCHOR_BEGIN "anchor_begin"
#define STATEMENT_ANCHOR_END "anchor_end"
#define STATEMENT_AUDIT_STATE "audit_state"
#define STATEMENT_SESSION_FAULTS "session_faults"
#define STATEMENT_WRAPPED_DUE "wrapped_due"
#define STATEMENT_UNBOUND_DUE "unbound_due"
#define STATEMENT_WRAPPED_KEEP "wrapped_keep"
#define STATEMENT_KEK_DUE "kek_due"
#define STATEMENT_KEK_REPLACE "kek_replace"
#define STATEMENT_DEK_DUE "dek_due"
#define STATEMENT_DEK_REWRAP "dek_rewrap"
#define STATEMENT_KEY_ROTATE_DUE "key_rotate_due"
#define STATEMENT_KEY_ROTATE "key_rotate_by_policy"

extern const struct statement statements[];
extern const size_t statements_count;

/*
 * Waits for a deploy to end, and keeps the next from beginning until the end
 * of the transaction: migrations/migrate has the same lock.
 */
#define STATEMENT_DEPLOY_SQL                   \
	"SELECT pg_advisory_xact_lock_shared(" \
	"hashtextextended('coffer migrate', 0))"

/*
 * Seconds that the oldest commit of this role has waited for a synchronous
 * standby, bigint; 0: none waits.  It is no function of sql/, because only the
 * role itself sees, without further rights, what its sessions wait for.
 */
#define STATEMENT_COMMIT_WAIT_SQL                              \
	"SELECT coalesce(floor(max(extract("                   \
	"epoch FROM clock_timestamp() - state_change))), 0)::" \
	"bigint FROM pg_catalog.pg_stat_activity WHERE "       \
	"usename = session_user AND wait_event = 'SyncRep'"

/* Seconds since 1970 by the clock of the server, bigint. */
#define STATEMENT_CLOCK_SQL \
	"SELECT extract(epoch FROM clock_timestamp())::bigint"

/* The one shape of all API functions: %s is the function of the endpoint. */
#define STATEMENT_API_SQL                                  \
	"SELECT status, body, receipt, receipt_hash FROM " \
	"api.%s($1, $2, $3, $4)"
extern const struct statement statement_api;

#define STATEMENT_SQL_SIZE 256

/* The SQL of the statement of that name, or else of that API function, which is in sql. */
const char *statement_sql(const char *name, char sql[STATEMENT_SQL_SIZE]);

/* The statement of that name; of a name that is not in the list, that of API functions. */
const struct statement *statement_find(const char *name);

#endif
