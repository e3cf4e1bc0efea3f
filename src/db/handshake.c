#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/endpoints.h"
#include "base/log.h"
#include "db/columns.h"
#include "db/handshake.h"
#include "db/retry.h"
#include "db/statements.h"
#include "db/wrapped.h"

/* The first schema that has everything this build calls. */
#define GREET_SCHEMA 13

#define GREET_HELLO_SQL                                              \
	"SELECT schema_version::text, array_to_json(faults)::text, " \
	"pepper_root_id, pepper, active_root_id, lockout, "          \
	"epoch::bigint, behind "                                     \
	"FROM daemon.hello($1::uuid, $2::text, $3::text[], $4::jsonb)"
#define GREET_EPOCH_SQL "SELECT daemon.epoch_begin($1::jsonb)"
#define GREET_MALFORMED \
	"its answer is malformed: connect to a PostgreSQL that Coffer is in"
#define GREET_PEPPER_SQL \
	"SELECT root_id, wrapped FROM daemon.pepper_keep($1::text, $2::bytea)"

/*
 * What mends a handshake that PostgreSQL fails, by the class of the SQLSTATE;
 * for all others it is a deploy.
 */
static const struct greet_remedy {
	const char *class;
	const char *text;
} greet_remedies[] = {
	{ "40", "it is tried again" },
	{ "53",
	    "PostgreSQL lacks a resource, such as room on its disk: see its "
	    "log" },
	{ "55", "it is tried again" },
	{ "57", "it is tried again" },
	/* A server that runs on loads the new libraries in new sessions. */
	{ "58",
	    "PostgreSQL itself fails, as after an upgrade of its files without "
	    "a restart: see its log, and restart it" },
	{ "XX",
	    "PostgreSQL itself fails, as after an upgrade of its files without "
	    "a restart: see its log, and restart it" },
};

#define GREET_REMEDIES (sizeof(greet_remedies) / sizeof(greet_remedies[0]))

const struct columns handshake_hello_columns = { 1, 1, 8,
	{
	    { .type = COLUMN_TEXT, .null = true },
	    { .type = COLUMN_TEXT },
	    { .type = COLUMN_TEXT, .null = true },
	    { .type = COLUMN_BYTEA, .null = true },
	    { .type = COLUMN_TEXT, .null = true },
	    { .type = COLUMN_TEXT, .null = true },
	    { .type = COLUMN_INT8, .null = true },
	    { .type = COLUMN_BOOL, .null = true },
	} };
const struct columns handshake_pepper_columns = { 0, 1, 2,
	{ { .type = COLUMN_TEXT }, { .type = COLUMN_BYTEA } } };
const struct columns handshake_epoch_columns = { 1, 1, 1,
	{ { .type = COLUMN_INT4, .null = true } } };
const struct columns handshake_deploy_columns = { 1, 1, 1,
	{ { .type = COLUMN_VOID } } };

/* A fault is a sentence of the form `what is wrong: what to do`. */
static void
greet_refuse(struct handshake *greet, const char *fault)
{
	if (!greet->refused)
		snprintf(greet->fault, sizeof(greet->fault), "%s", fault);
	greet->refused = true;
	log_error(
	    "the database is not fit to be served", log_text("fault", fault));
}

void
handshake_start(struct handshake *greet)
{
	char root_ids[ROOT_KEY_MAX * ROOT_KEY_ID_SIZE + 3];
	char seen[NEWEST_TEXT_SIZE];
	struct session_parameter parameters[] = {
		{ .value = greet->instance },
		{ .value = PACKAGE_VERSION },
		{ .value = root_ids },
		{ .value = newest_text(greet->newest, seen) ? seen : NULL },
	};

	greet->offer =
	    keyring_root_ids(greet->keyring, root_ids, sizeof(root_ids));
	greet->refused = false;
	greet->unfit = false;
	greet->behind = false;
	greet->locked_out = false;
	greet->step = HANDSHAKE_DEPLOY;
	session_query(greet->session, STATEMENT_DEPLOY_SQL, NULL, NULL, 0);
	session_flush_results(greet->session);
	session_query(greet->session, GREET_HELLO_SQL, NULL, parameters, 4);
	session_sync(greet->session);
}

static void
greet_prepare(struct handshake *greet)
{
	char sql[STATEMENT_SQL_SIZE];
	size_t i;

	greet->taken = false;
	for (i = 0; i < endpoints_count; i++) {
		if (endpoints[i].flags & ENDPOINT_LOCAL)
			continue;
		session_prepare(greet->session, endpoints[i].function,
		    statement_sql(endpoints[i].function, sql),
		    statement_door.types, statement_door.count);
	}
	for (i = 0; i < statements_count; i++)
		session_prepare(greet->session, statements[i].name,
		    statements[i].sql, statements[i].types,
		    statements[i].count);
}

/*
 * A pooler may give each transaction another connection of PostgreSQL: in one
 * transaction, statements are forgotten and prepared on the same.  It may also
 * keep count of what is prepared by what it hears: so it hears the answer to
 * DEALLOCATE ALL before the first statement is prepared.
 */
void
handshake_prepare_again(struct handshake *greet)
{
	greet->refused = false;
	greet->step = HANDSHAKE_FORGET;
	session_query(greet->session, "BEGIN", NULL, NULL, 0);
	session_query(greet->session, "DEALLOCATE ALL", NULL, NULL, 0);
	session_sync(greet->session);
}

void
handshake_examine(struct handshake *greet)
{
	greet->refused = false;
	greet->examined = false;
	greet->step = HANDSHAKE_EXAMINE;
	session_execute(greet->session, STATEMENT_SESSION_FAULTS, NULL, 0);
	session_sync(greet->session);
}

static void
greet_make_pepper(struct handshake *greet)
{
	struct session_parameter parameters[] = {
		{ .value = greet->made.root_id },
		{ .value = greet->made.bytes,
		    .size = sizeof(greet->made.bytes),
		    .binary = true },
	};

	keyring_pepper_make(greet->keyring, &greet->made);
	greet->step = HANDSHAKE_PEPPER;
	session_query(greet->session, GREET_PEPPER_SQL, NULL, parameters, 2);
	session_sync(greet->session);
}

/* Columns column and column + 1 are a wrapped key of the database. */
static void
greet_open_pepper(struct handshake *greet, const PGresult *result, int column)
{
	struct keyring_wrapped wrapped;
	char fault[160];

	if (wrapped_read(result, 0, column, &wrapped) &&
	    keyring_pepper_open(greet->keyring, &wrapped))
		return;
	snprintf(fault, sizeof(fault),
	    "the pepper does not open under root key %s: "
	    "load that key",
	    wrapped.root_id);
	greet_refuse(greet, fault);
}

static void
greet_hear_faults(struct handshake *greet, const char *text)
{
	struct json_object *faults = columns_json(text, json_type_array);
	struct json_object *fault;
	size_t i;

	if (faults == NULL)
		return (greet_refuse(greet, GREET_MALFORMED));
	for (i = 0; i < json_object_array_length(faults); i++) {
		fault = json_object_array_get_idx(faults, i);
		greet_refuse(greet,
		    json_object_is_type(fault, json_type_string)
			? json_object_get_string(fault)
			: GREET_MALFORMED);
	}
	json_object_put(faults);
}

/*
 * Root keys that were offered are taken, unless the database needs one that
 * is not among them; then it has said nothing yet of those there are.
 */
static bool
greet_hear_offer(struct handshake *greet, const char *lockout)
{
	bool decided =
	    keyring_decide(greet->keyring, greet->offer, lockout == NULL);

	if (decided && lockout == NULL)
		log_info("root keys loaded");
	else if (decided)
		log_error("unable to load root keys, the old ones stay",
		    log_text("cause", lockout));
	if (lockout != NULL) {
		snprintf(greet->fault, sizeof(greet->fault), "%s", lockout);
		greet->refused = true;
	}
	return (lockout == NULL);
}

/*
 * Once: the database says that it is in the epoch that was begun, or another
 * daemon has, and what was seen before counts no more.
 */
static void
greet_begin_epoch(struct handshake *greet)
{
	char seen[NEWEST_TEXT_SIZE];
	const struct session_parameter parameter = {
		.value = newest_text(greet->newest, seen) ? seen : NULL
	};

	log_warning("an epoch is begun, since the database lacks what was seen",
	    log_text("seen", parameter.value));
	greet->step = HANDSHAKE_EPOCH;
	session_query(greet->session, GREET_EPOCH_SQL, NULL, &parameter, 1);
	session_sync(greet->session);
}

/* What was seen of an epoch that has ended counts no more. */
static void
greet_hear_epoch(struct handshake *greet, const PGresult *result)
{
	newest_begin(greet->newest, columns_number(result, 0, 6));
}

static void
greet_hear_hello(struct handshake *greet, const PGresult *result)
{
	const char *lockout =
	    columns_is_null(result, 0, 5) ? NULL : columns_text(result, 0, 5);

	if (greet->offer != 0 && !greet_hear_offer(greet, lockout))
		return;
	greet->locked_out = lockout != NULL;
	greet->behind = columns_flag(result, 0, 7);
	if (strtol(columns_text(result, 0, 0), NULL, 10) < GREET_SCHEMA)
		greet_refuse(
		    greet, "its schema is too old: run migrations/migrate");
	greet_hear_faults(greet, columns_text(result, 0, 1));
	if (!greet->refused && !columns_is_null(result, 0, 3))
		greet_open_pepper(greet, result, 2);
	if (!greet->refused && !columns_is_null(result, 0, 4) &&
	    !keyring_activate(greet->keyring, columns_text(result, 0, 4)))
		greet_refuse(
		    greet, "the active root key is not loaded: load that key");
	greet->unfit = greet->refused;
	if (!greet->refused)
		greet_hear_epoch(greet, result);
}

static void
greet_hear_session(struct handshake *greet, const PGresult *result)
{
	greet->examined = true;
	greet_hear_faults(greet, columns_text(result, 0, 0));
}

static const char *
greet_remedy(const char *sqlstate)
{
	size_t i;

	for (i = 0; i < GREET_REMEDIES; i++) {
		if (strncmp(sqlstate, greet_remedies[i].class,
			strlen(greet_remedies[i].class)) == 0)
			return (greet_remedies[i].text);
	}
	return ("deploy the SQL of this build with migrations/migrate, and "
		"connect as coffer_api");
}

static void
greet_hear_error(struct handshake *greet, const char *sqlstate)
{
	static const char *const steps[] = {
		[HANDSHAKE_DEPLOY] = "the wait for a deploy",
		[HANDSHAKE_HELLO] = "daemon.hello",
		[HANDSHAKE_EPOCH] = "daemon.epoch_begin",
		[HANDSHAKE_PEPPER] = "daemon.pepper_keep",
		[HANDSHAKE_PREPARE] = "PREPARE",
		[HANDSHAKE_FORGET] = "DEALLOCATE ALL",
		[HANDSHAKE_PREPARE_AGAIN] = "PREPARE",
	};
	char fault[256];

	/*
	 * All that follows an error in a pipeline fails without a cause; and a
	 * session that was not examined is greeted, and says more then.
	 */
	if (greet->refused || greet->taken || greet->step == HANDSHAKE_EXAMINE)
		return;
	/* A pooler has left what others have prepared. */
	if (greet->step == HANDSHAKE_PREPARE &&
	    retry_sqlstate(sqlstate)->remedy == REMEDY_PREPARE) {
		greet->taken = true;
		return;
	}
	if (!session_is_writable(greet->session))
		return (greet_refuse(greet,
		    "it takes no writes: connect to the primary, with "
		    "target_session_attrs=read-write"));
	snprintf(fault, sizeof(fault), "%s fails with SQLSTATE %s: %s",
	    steps[greet->step], sqlstate, greet_remedy(sqlstate));
	greet_refuse(greet, fault);
}

/* Whether a result is what the statement of this step gives. */
static bool
greet_fits(const struct handshake *greet, const PGresult *result)
{
	const struct columns *columns = NULL;
	char fault[COLUMNS_FAULT_SIZE];

	if (greet->step == HANDSHAKE_DEPLOY)
		columns = &handshake_deploy_columns;
	else if (greet->step == HANDSHAKE_HELLO)
		columns = &handshake_hello_columns;
	else if (greet->step == HANDSHAKE_PEPPER)
		columns = &handshake_pepper_columns;
	else if (greet->step == HANDSHAKE_EPOCH)
		columns = &handshake_epoch_columns;
	else if (greet->step == HANDSHAKE_EXAMINE)
		columns = &statement_find(STATEMENT_SESSION_FAULTS)->columns;
	if (columns == NULL || columns_fit(result, columns, fault))
		return (true);
	log_error(
	    "an answer of PostgreSQL is malformed", log_text("fault", fault));
	return (false);
}

void
handshake_result(struct handshake *greet, const PGresult *result)
{
	char sqlstate[SESSION_SQLSTATE_SIZE];

	if (session_sqlstate(result, sqlstate))
		greet_hear_error(greet, sqlstate);
	else if (!greet_fits(greet, result))
		greet_refuse(greet, GREET_MALFORMED);
	else if (greet->step == HANDSHAKE_DEPLOY)
		greet->step = HANDSHAKE_HELLO;
	else if (greet->step == HANDSHAKE_HELLO)
		greet_hear_hello(greet, result);
	else if (greet->step == HANDSHAKE_PEPPER && columns_rows(result) == 1)
		greet_open_pepper(greet, result, 0);
	else if (greet->step == HANDSHAKE_PEPPER)
		greet_refuse(greet,
		    "another root key has become active: it is tried again");
	else if (greet->step == HANDSHAKE_EXAMINE)
		greet_hear_session(greet, result);
}

enum handshake_outcome
handshake_finished(struct handshake *greet)
{
	if (greet->step == HANDSHAKE_HELLO && greet->behind &&
	    greet->begins_epoch) {
		greet_begin_epoch(greet);
		greet->refused = false;
		return (HANDSHAKE_GOES_ON);
	}
	if (greet->refused)
		return (HANDSHAKE_REFUSED);
	switch (greet->step) {
	case HANDSHAKE_DEPLOY:
	case HANDSHAKE_HELLO:
		if (!keyring_has_pepper(greet->keyring)) {
			greet_make_pepper(greet);
			return (HANDSHAKE_GOES_ON);
		}
		break;
	case HANDSHAKE_PEPPER:
		break;
	case HANDSHAKE_EPOCH:
		handshake_start(greet);
		return (HANDSHAKE_GOES_ON);
	case HANDSHAKE_PREPARE:
		if (!greet->taken)
			return (HANDSHAKE_READY);
		handshake_prepare_again(greet);
		return (HANDSHAKE_GOES_ON);
	case HANDSHAKE_FORGET:
		greet->step = HANDSHAKE_PREPARE_AGAIN;
		greet_prepare(greet);
		session_query(greet->session, "COMMIT", NULL, NULL, 0);
		session_sync(greet->session);
		return (HANDSHAKE_GOES_ON);
	case HANDSHAKE_PREPARE_AGAIN:
		return (HANDSHAKE_READY);
	case HANDSHAKE_EXAMINE:
		if (greet->examined)
			return (HANDSHAKE_READY);
		handshake_start(greet);
		return (HANDSHAKE_GOES_ON);
	}
	greet->step = HANDSHAKE_PREPARE;
	greet_prepare(greet);
	session_sync(greet->session);
	return (HANDSHAKE_GOES_ON);
}
