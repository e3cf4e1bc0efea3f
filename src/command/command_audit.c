#include <inttypes.h>
#include <libpq-fe.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/audit_report.h"
#include "command/command.h"
#include "command/command_audit.h"
#include "command/verify/chain.h"
#include "command/verify/evidence.h"
#include "command/verify/rows.h"
#include "command/verify/verify.h"
#include "db/columns.h"

#define AUDIT_DAMAGED 1
#define AUDIT_FAILED 2

#define AUDIT_COPY(query) "COPY (" query ") TO STDOUT (FORMAT binary)"
#define AUDIT_CHAIN_SQL AUDIT_COPY("SELECT * FROM auditor.seal ORDER BY no")
#define AUDIT_SEALS_SQL                          \
	AUDIT_COPY("SELECT * FROM auditor.seal " \
		   "ORDER BY epoch, xid_from, xid_to, month")
/* In the order of an index: the server sorts nothing, and keeps nothing. */
#define AUDIT_EVENTS_SQL \
	AUDIT_COPY("SELECT * FROM auditor.event ORDER BY epoch, xid, id")
#define AUDIT_STANDBY_SQL                                           \
	"SELECT split_part(auditor.changes_end(), '.', 2)::bigint " \
	"WHERE pg_is_in_recovery()"
#define AUDIT_SIGNERS_SQL "SELECT public_key FROM auditor.signer"

/*
 * Else a server that takes a sort for cheaper puts all rows on its disk.  The
 * role, the database and the server may have timeouts, for shorter questions.
 */
#define AUDIT_SESSION_SQL                        \
	"SET enable_sort = off; SET jit = off; " \
	"SET statement_timeout = 0; SET lock_timeout = 0"

struct audit {
	struct verify verify;
	struct receipt_log log;
	const char *seals;
	const char *events;
	const char *month; /* that it must be of; NULL: of any */
	/* Two, because seals and rows are read side by side. */
	PGconn *connections[2];
};

static bool
audit_add_key(struct audit *audit, const char *text)
{
	unsigned char key[CRYPTO_KEY_SIZE];
	size_t size;

	if (OPENSSL_hexstr2buf_ex(key, sizeof(key), &size, text, '\0') != 1 ||
	    size != sizeof(key))
		return (false);
	verify_trust(&audit->verify, key);
	return (true);
}

/* What looks like a log, and has nothing to compare with, is a mistake. */
static bool
audit_add_anchors(struct audit *audit, const char *path)
{
	const uint64_t before = audit->log.entries;

	audit->verify.log = &audit->log;
	if (!receipt_log_read(&audit->log, path))
		fprintf(stderr,
		    "coffer: unable to read %s, or to keep what is in it\n",
		    path);
	else if (audit->log.entries == before)
		fprintf(stderr,
		    "coffer: there is no anchor and no receipt in %s\n", path);
	else
		return (true);
	return (false);
}

/* The exit status when the options are wrong, or a file is; 0: neither. */
static int
audit_read_options(struct audit *audit, struct command_run *run)
{
	struct command_value option;
	bool right = true;

	while (right && command_option_next(run, &option) == COMMAND_OPTION) {
		if (strcmp(option.name, "anchors") == 0) {
			if (!audit_add_anchors(audit, option.value))
				return (AUDIT_FAILED);
		} else if (strcmp(option.name, "public-key") == 0)
			right = audit_add_key(audit, option.value);
		else if (strcmp(option.name, "seals") == 0)
			audit->seals = option.value;
		else if (strcmp(option.name, "events") == 0)
			audit->events = option.value;
		else if (strcmp(option.name, "month") == 0)
			audit->month = option.value;
		else
			audit->verify.complete = true;
	}
	right = right && (audit->seals == NULL) == (audit->events == NULL) &&
	    (audit->month == NULL || audit->seals != NULL) &&
	    (!audit->verify.complete || audit->verify.log != NULL);
	return (right ? 0 : COMMAND_USAGE);
}

static bool
audit_connect(struct audit *audit, const struct settings *settings)
{
	struct dsn *dsn =
	    command_dsn("dsn_auditor", settings->dsn_auditor, "coffer/audit");
	size_t i;

	if (dsn == NULL)
		return (false);
	for (i = 0; i < 2; i++)
		audit->connections[i] =
		    PQconnectdbParams((const char *const *)dsn->keywords,
			(const char *const *)dsn->values, 0);
	dsn_free(dsn);
	if (PQstatus(audit->connections[0]) != CONNECTION_OK ||
	    PQstatus(audit->connections[1]) != CONNECTION_OK) {
		fprintf(stderr, "coffer: unable to connect to the database\n");
		return (false);
	}
	for (i = 0; i < 2; i++)
		PQclear(PQexec(audit->connections[i], AUDIT_SESSION_SQL));
	return (true);
}

/* Better than none, against who cannot write there; it is said. */
static void
audit_ask_keys(struct audit *audit)
{
	PGresult *result = PQexecParams(audit->connections[0],
	    AUDIT_SIGNERS_SQL, 0, NULL, NULL, NULL, NULL, 1);
	unsigned char key[CRYPTO_KEY_SIZE];
	int i;

	for (i = 0; i < columns_rows(result); i++) {
		if (columns_copy(result, i, 0, key, sizeof(key)))
			verify_trust(&audit->verify, key);
	}
	PQclear(result);
	fprintf(stderr,
	    "coffer: the public keys are the database's own; --public-key "
	    "gives others\n");
}

/*
 * A standby has all rows up to the id that it gives, and more may come: what it
 * lacks is not lost.
 */
static void
audit_ask_standby(struct audit *audit)
{
	PGresult *result = PQexecParams(audit->connections[0],
	    AUDIT_STANDBY_SQL, 0, NULL, NULL, NULL, NULL, 1);

	if (columns_rows(result) == 1 && !columns_is_null(result, 0, 0)) {
		audit->verify.standby = true;
		audit->verify.standby_row = columns_number(result, 0, 0);
	}
	PQclear(result);
}

static struct pgcopy *
audit_source(
    struct audit *audit, const char *path, int connection, const char *sql)
{
	struct pgcopy *copy = path != NULL
	    ? pgcopy_open(path)
	    : pgcopy_query(audit->connections[connection], sql);

	if (copy == NULL)
		fprintf(stderr, "coffer: unable to read %s\n",
		    path != NULL ? path : "the audit");
	return (copy);
}

/* Of files that were exported: false, once it is said, when of another. */
static bool
audit_is_month(const struct audit *audit)
{
	const struct verify *verify = &audit->verify;
	char month[MONTHS_NAME_SIZE];

	if (!verify->partial || !verify->month_known)
		return (true);
	months_name(verify->month, month);
	if (audit->month == NULL || strcmp(audit->month, month) == 0)
		return (true);
	fprintf(stderr, "coffer: %s has the seals of month %s, not of %s\n",
	    audit->seals, month, audit->month);
	return (false);
}

static bool
audit_run(struct audit *audit)
{
	struct pgcopy *chain, *seals = NULL, *events = NULL;
	bool done = false;

	if (!receipt_log_begin(&audit->log)) {
		fprintf(stderr, "coffer: unable to read the anchors again\n");
		return (false);
	}
	chain = audit_source(audit, audit->seals, 0, AUDIT_CHAIN_SQL);
	if (chain != NULL) {
		chain_verify(&audit->verify, chain);
		pgcopy_free(chain);
	}
	if (chain != NULL && audit_is_month(audit)) {
		/* Seals first: all that they cover is in a later snapshot. */
		seals = audit_source(audit, audit->seals, 0, AUDIT_SEALS_SQL);
		events =
		    audit_source(audit, audit->events, 1, AUDIT_EVENTS_SQL);
	}
	if (seals != NULL && events != NULL) {
		rows_verify(&audit->verify, seals, events);
		evidence_verify(&audit->verify);
		done = !audit->verify.other_month;
		if (!done)
			fprintf(stderr,
			    "coffer: the rows of %s are of another month than "
			    "the seals of %s\n",
			    audit->events, audit->seals);
	}
	pgcopy_free(seals);
	pgcopy_free(events);
	return (done);
}

static int
audit_verify(struct audit *audit, const struct settings *settings)
{
	if (audit->seals == NULL && !audit_connect(audit, settings))
		return (AUDIT_FAILED);
	audit->verify.partial = audit->seals != NULL;
	if (audit->seals == NULL && audit->verify.keys_count == 0)
		audit_ask_keys(audit);
	if (audit->seals == NULL)
		audit_ask_standby(audit);
	if (!audit_run(audit))
		return (AUDIT_FAILED);
	return (audit_report(&audit->verify) ? 0 : AUDIT_DAMAGED);
}

int
command_audit_verify(struct command_run *run)
{
	struct audit audit;
	int code;

	memset(&audit, 0, sizeof(audit));
	code = audit_read_options(&audit, run);
	if (code == 0)
		code = audit_verify(&audit, run->settings);
	verify_free(&audit.verify);
	receipt_log_free(&audit.log);
	PQfinish(audit.connections[0]);
	PQfinish(audit.connections[1]);
	return (code);
}
