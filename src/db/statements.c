#include <stdio.h>
#include <string.h>

#include "db/statements.h"

#define BYTEA COLUMN_BYTEA
#define INT4 COLUMN_INT4
#define INT8 COLUMN_INT8
#define TEXT COLUMN_TEXT
#define UUID COLUMN_UUID
#define JSONB COLUMN_JSONB
#define BYTEAS COLUMN_BYTEAS
#define TEXTS COLUMN_TEXTS
#define UUIDS COLUMN_UUIDS

/* clang-format off */
/*
 * Columns.  What others may have written into a table has any length: it is
 * for its reader to say which row is wrong.
 */
#define ID { .type = COLUMN_UUID }
#define ID_OR_NULL { .type = COLUMN_UUID, .null = true }
#define SHORT_OR_NULL { .type = COLUMN_INT4, .null = true }
#define NUMBER { .type = COLUMN_INT8 }
#define NUMBER_OR_NULL { .type = COLUMN_INT8, .null = true }
#define SHORT { .type = COLUMN_INT4 }
#define STATUS { .type = COLUMN_INT2 }
#define FLAG { .type = COLUMN_BOOL }
#define NAME { .type = COLUMN_TEXT }
#define NAME_OR_NULL { .type = COLUMN_TEXT, .null = true }
#define BYTES { .type = COLUMN_BYTEA }
#define BYTES_OR_NULL { .type = COLUMN_BYTEA, .null = true }
#define HASH_OR_NULL { .type = COLUMN_BYTEA, .null = true, .least = 32, .most = 32 }
/* The pepper, and the keys that have signed seals. */
#define SIGNERS 1000
#define NOTHING { .type = COLUMN_VOID }

const struct statement statements[] = {
	{ STATEMENT_KEK_KEEP, "SELECT kek_id, root_id, wrapped FROM daemon.kek_keep($1, $2, $3, $4)", 4, { UUID, UUID, TEXT, BYTEA }, { 0, 1, 3, { ID, NAME, BYTES } } },
	{ STATEMENT_WRAPPED_DUE, "SELECT id, project_id, root_id, wrapped, active_root_id, key_id, rotation FROM daemon.wrapped_due($1, $2)", 2, { UUID, INT4 }, { 0, STATEMENT_BATCH + SIGNERS, 7, { ID, ID, NAME, BYTES, NAME_OR_NULL, ID_OR_NULL, SHORT_OR_NULL } } },
	{ STATEMENT_UNBOUND_DUE, "SELECT id, project_id, root_id, wrapped, active_root_id, key_id, rotation FROM daemon.unbound_due($1, $2, $3)", 3, { UUID, INT4, UUID }, { 0, STATEMENT_BATCH + SIGNERS, 7, { ID, ID, NAME, BYTES, NAME_OR_NULL, ID_OR_NULL, SHORT_OR_NULL } } },
	{ STATEMENT_WRAPPED_KEEP, "SELECT daemon.wrapped_keep($1, $2, $3, $4), 0::bigint, false", 4, { UUIDS, TEXTS, TEXT, BYTEAS }, { 1, 1, 3, { NUMBER, NUMBER, FLAG } } },
	{ STATEMENT_KEK_DUE, "SELECT kek_id, project_id, active_root_id FROM daemon.kek_due($1, $2)", 2, { UUID, INT4 }, { 0, STATEMENT_BATCH, 3, { ID, ID, NAME_OR_NULL } } },
	{ STATEMENT_KEK_REPLACE, "SELECT daemon.kek_replace($1, $2, $3, $4), 0::bigint, false", 4, { UUIDS, UUIDS, TEXT, BYTEAS }, { 1, 1, 3, { NUMBER, NUMBER, FLAG } } },
	{ STATEMENT_DEK_DUE, "SELECT secret_id, project_id, old_id, old_root_id, old_wrapped, new_id, new_root_id, new_wrapped, key_id, old_rotation, new_rotation FROM daemon.dek_due($1, $2)", 2, { UUID, INT4 }, { 0, STATEMENT_BATCH, 11, { ID, ID, ID, NAME, BYTES, ID, NAME, BYTES, ID_OR_NULL, SHORT_OR_NULL, SHORT_OR_NULL } } },
	{ STATEMENT_DEK_REWRAP, "SELECT moved, broken, more FROM daemon.dek_rewrap($1, $2, $3, $4, $5)", 5, { UUIDS, UUIDS, UUIDS, BYTEAS, BYTEAS }, { 1, 1, 3, { NUMBER, NUMBER, FLAG } } },
	{ STATEMENT_KEY_ROTATE_DUE, "SELECT key_id, project_id, active_root_id, rotation FROM daemon.key_rotate_due($1)", 1, { INT4 }, { 0, STATEMENT_BATCH, 4, { ID, ID, NAME_OR_NULL, SHORT } } },
	{ STATEMENT_KEY_ROTATE, "SELECT daemon.key_rotate($1, $2, $3, $4, $5)", 5, { UUID, UUID, TEXT, BYTEA, INT4 }, { 1, 1, 1, { FLAG } } },
	{ STATEMENT_JOB_LIST, "SELECT job.list()", 0, { 0 }, { 0, STATEMENT_BATCH, 1, { NAME } } },
	{ STATEMENT_JOB_RUN, "SELECT job.run($1, $2)", 2, { TEXT, INT4 }, { 1, 1, 1, { NUMBER_OR_NULL } } },
	{ STATEMENT_SEAL_BEGIN, "SELECT no, hash, signer FROM daemon.seal_begin() LIMIT 2", 0, { 0 }, { 0, 2, 3, { NUMBER, BYTES, NAME_OR_NULL } } },
	{ STATEMENT_SEAL_SIGN, "SELECT daemon.seal_sign($1, $2, $3)", 3, { INT8, TEXT, BYTEA }, { 1, 1, 1, { FLAG } } },
	{ STATEMENT_SIGNER_GET, "SELECT root_id, wrapped FROM daemon.signer_get()", 0, { 0 }, { 0, 1, 2, { NAME, BYTES } } },
	{ STATEMENT_SIGNER_KEEP, "SELECT root_id, wrapped FROM daemon.signer_keep($1, $2, $3)", 3, { BYTEA, TEXT, BYTEA }, { 0, 1, 2, { NAME, BYTES } } },
	{ STATEMENT_ANCHOR_BEGIN, "SELECT no, hash, signer, signature, epoch FROM daemon.anchor_begin($1)", 1, { UUID }, { 0, 1, 5, { NUMBER, BYTES, NAME_OR_NULL, BYTES_OR_NULL, SHORT } } },
	{ STATEMENT_ANCHOR_END, "SELECT daemon.anchor_end($1)", 1, { INT8 }, { 1, 1, 1, { NOTHING } } },
	{ STATEMENT_AUDIT_STATE, "SELECT seal_lag, unanchored, months_ahead, last_change, unsealed, anchor_lag, daemon.warnings()::text, (" STATEMENT_COMMIT_WAIT_SQL "), epoch, seal, seal_hash, sealed_to, xid_end, (" STATEMENT_CLOCK_SQL ") FROM daemon.audit_state()", 0, { 0 }, { 1, 1, 14, { NUMBER, NUMBER, SHORT, NUMBER_OR_NULL, NUMBER, NUMBER, NAME, NUMBER, SHORT_OR_NULL, NUMBER_OR_NULL, BYTES_OR_NULL, NUMBER_OR_NULL, NUMBER_OR_NULL, NUMBER } } },
	{ STATEMENT_AUDIT_PROBE, "SELECT daemon.audit_probe()", 0, { 0 }, { 1, 1, 1, { FLAG } } },
	{ STATEMENT_SESSION_FAULTS, "SELECT array_to_json(daemon.session_faults())::text", 0, { 0 }, { 1, 1, 1, { NAME } } },
};

const struct statement statement_api =
	{ NULL, STATEMENT_API_SQL, 4, { JSONB, BYTEA, BYTEA, BYTEA }, { 1, 1, 4, { STATUS, NAME_OR_NULL, NUMBER_OR_NULL, HASH_OR_NULL } } };
/* clang-format on */

const size_t statements_count = sizeof(statements) / sizeof(statements[0]);

const char *
statement_sql(const char *name, char sql[STATEMENT_SQL_SIZE])
{
	const struct statement *statement = statement_find(name);

	if (statement != &statement_api)
		return (statement->sql);
	snprintf(sql, STATEMENT_SQL_SIZE, STATEMENT_API_SQL, name);
	return (sql);
}

const struct statement *
statement_find(const char *name)
{
	size_t i;

	for (i = 0; i < statements_count; i++) {
		if (strcmp(statements[i].name, name) == 0)
			return (&statements[i]);
	}
	return (&statement_api);
}
