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
#define HANDSHAKE_SCHEMA 13

#define HANDSHAKE_HELLO_SQL                                          \
	"SELECT schema_version::text, array_to_json(faults)::text, " \
	"pepper_root_id, pepper, active_root_id, lockout, "          \
	"epoch::bigint, behind "                                     \
	"FROM daemon.hello($1::uuid, $2::text, $3::text[], $4::jsonb)"
/* All that earlier releases have of it. */
#define HANDSHAKE_OLDER_SQL            \
	"SELECT schema_version::text " \
	"FROM daemon.hello($1::uuid, $2::text, $3::text[])"
#define HANDSHAKE_EPOCH_SQL "SELECT daemon.epoch_begin($1::jsonb)"
#define HANDSHAKE_MALFORMED \
	"its answer is malformed: connect to a PostgreSQL that Coffer is in"
#define HANDSHAKE_PEPPER_SQL \
	"SELECT root_id, wrapped FROM daemon.pepper_keep($1::text, $2::bytea)"

/*
 * What mends a handshake that PostgreSQL fails, by the class of the SQLSTATE;
 * for all others it is a deploy.
 */
static const struct handshake_remedy {
	const char *class;
	const char *text;
} handshake_remedies[] = {
	/* What PgBouncer says to BEGIN in statement mode. */
	{ "08",
	    "a pooler refuses transactions: set pool_mode of PgBouncer to "
	    "session or transaction" },
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

#define HANDSHAKE_REMEDIES \
	(sizeof(handshake_remedies) / sizeof(handshake_remedies[0]))

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
const struct columns handshake_older_columns = { 1, 1, 1,
	{ { .type = COLUMN_TEXT, .null = true } } };
const struct columns handshake_pepper_columns = { 0, 1, 2,
	{ { .type = COLUMN_TEXT }, { .type = COLUMN_BYTEA } } };
const struct columns handshake_epoch_columns = { 1, 1, 1,
	{ { .type = COLUMN_INT4, .null = true } } };
const struct columns handshake_deploy_columns = { 1, 1, 1,
	{ { .type = COLUMN_VOID } } };

/* A fault is a sentence of the form `what is wrong: what to do`. */
static void
handshake_refuse(struct handshake *handshake, const char *fault)
{
	if (!handshake->refused)
		snprintf(
		    handshake->fault, sizeof(handshake->fault), "%s", fault);
	handshake->refused = true;
	log_error(
	    "the database is not fit to be served", log_text("fault", fault));
}

void
handshake_start(struct handshake *handshake)
{
	char root_ids[ROOT_KEY_MAX * ROOT_KEY_ID_SIZE + 3];
	char seen[NEWEST_TEXT_SIZE];
	struct session_parameter parameters[] = {
		{ .value = handshake->instance },
		{ .value = PACKAGE_VERSION },
		{ .value = root_ids },
		{ .value = newest_text(handshake->newest, seen) ? seen : NULL },
	};

	handshake->revision = keyring_revision(handshake->keyring);
	handshake->offer =
	    keyring_root_ids(handshake->keyring, root_ids, sizeof(root_ids));
	handshake->refused = false;
	handshake->unfit = false;
	handshake->behind = false;
	handshake->older = false;
	handshake->locked_out = false;
	handshake->step = HANDSHAKE_DEPLOY;
	session_query(handshake->session, STATEMENT_DEPLOY_SQL, NULL, NULL, 0);
	session_flush_results(handshake->session);
	session_query(
	    handshake->session, HANDSHAKE_HELLO_SQL, NULL, parameters, 4);
	session_sync(handshake->session);
}

/* Its daemon.hello is of another release, so the whole question has failed. */
static void
handshake_ask_older(struct handshake *handshake)
{
	char root_ids[ROOT_KEY_MAX * ROOT_KEY_ID_SIZE + 3];
	const struct session_parameter parameters[] = {
		{ .value = handshake->instance },
		{ .value = PACKAGE_VERSION },
		{ .value = root_ids },
	};

	keyring_root_ids(handshake->keyring, root_ids, sizeof(root_ids));
	handshake->step = HANDSHAKE_OLDER;
	session_query(
	    handshake->session, HANDSHAKE_OLDER_SQL, NULL, parameters, 3);
	session_sync(handshake->session);
}

/* Whether the schema has what this build calls. */
static bool
handshake_take_schema(struct handshake *handshake, const PGresult *result)
{
	const long schema = columns_is_null(result, 0, 0)
	    ? 0
	    : strtol(columns_text(result, 0, 0), NULL, 10);
	char fault[160];

	if (schema >= HANDSHAKE_SCHEMA)
		return (true);
	snprintf(fault, sizeof(fault),
	    "the database has schema %ld, and this daemon of release %s needs "
	    "%d or later: run migrations/migrate of that release",
	    schema, PACKAGE_VERSION, HANDSHAKE_SCHEMA);
	handshake_refuse(handshake, fault);
	return (false);
}

static void
handshake_prepare(struct handshake *handshake)
{
	char sql[STATEMENT_SQL_SIZE];
	size_t i;

	handshake->taken = false;
	for (i = 0; i < endpoints_count; i++) {
		if (endpoints[i].flags & ENDPOINT_LOCAL)
			continue;
		session_prepare(handshake->session, endpoints[i].function,
		    statement_sql(endpoints[i].function, sql),
		    statement_api.types, statement_api.count);
	}
	for (i = 0; i < statements_count; i++)
		session_prepare(handshake->session, statements[i].name,
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
handshake_prepare_again(struct handshake *handshake)
{
	handshake->refused = false;
	handshake->taken = false;
	handshake->step = HANDSHAKE_FORGET;
	session_query(handshake->session, "BEGIN", NULL, NULL, 0);
	session_query(handshake->session, "DEALLOCATE ALL", NULL, NULL, 0);
	session_sync(handshake->session);
}

void
handshake_examine(struct handshake *handshake)
{
	handshake->refused = false;
	handshake->examined = false;
	handshake->step = HANDSHAKE_EXAMINE;
	session_execute(handshake->session, STATEMENT_SESSION_FAULTS, NULL, 0);
	session_sync(handshake->session);
}

static void
handshake_make_pepper(struct handshake *handshake)
{
	struct session_parameter parameters[] = {
		{ .value = handshake->made.root_id },
		{ .value = handshake->made.bytes,
		    .size = sizeof(handshake->made.bytes),
		    .binary = true },
	};

	keyring_pepper_make(handshake->keyring, &handshake->made);
	handshake->step = HANDSHAKE_PEPPER;
	session_query(
	    handshake->session, HANDSHAKE_PEPPER_SQL, NULL, parameters, 2);
	session_sync(handshake->session);
}

/* Columns column and column + 1 are a wrapped key of the database. */
static void
handshake_unwrap_pepper(
    struct handshake *handshake, const PGresult *result, int column)
{
	struct keyring_wrapped wrapped;
	char fault[160];

	if (wrapped_read(result, 0, column, &wrapped) &&
	    keyring_pepper_load(handshake->keyring, &wrapped))
		return;
	snprintf(fault, sizeof(fault),
	    "the pepper cannot be unwrapped under root key %s: "
	    "load that key",
	    wrapped.root_id);
	handshake_refuse(handshake, fault);
}

static void
handshake_take_faults(struct handshake *handshake, const char *text)
{
	struct json_object *faults = columns_json(text, json_type_array);
	struct json_object *fault;
	size_t i;

	if (faults == NULL)
		return (handshake_refuse(handshake, HANDSHAKE_MALFORMED));
	for (i = 0; i < json_object_array_length(faults); i++) {
		fault = json_object_array_get_idx(faults, i);
		handshake_refuse(handshake,
		    json_object_is_type(fault, json_type_string)
			? json_object_get_string(fault)
			: HANDSHAKE_MALFORMED);
	}
	json_object_put(faults);
}

/*
 * Root keys that were offered are taken, unless the database needs one that
 * is not among them; then it has said nothing yet of those there are.
 */
static bool
handshake_take_offer(struct handshake *handshake, const char *lockout)
{
	const bool decided = keyring_decide(
	    handshake->keyring, handshake->offer, lockout == NULL);

	if (decided)
		handshake->revision = keyring_revision(handshake->keyring);

	if (decided && lockout == NULL)
		log_info("root keys loaded");
	else if (decided)
		log_error("unable to load root keys, the old ones stay",
		    log_text("cause", lockout));
	if (lockout != NULL) {
		snprintf(
		    handshake->fault, sizeof(handshake->fault), "%s", lockout);
		handshake->refused = true;
	}
	return (lockout == NULL);
}

/*
 * Once: the database says that it is in the epoch that was begun, or another
 * daemon has, and what was seen before counts no more.
 */
static void
handshake_begin_epoch(struct handshake *handshake)
{
	char seen[NEWEST_TEXT_SIZE];
	const struct session_parameter parameter = {
		.value = newest_text(handshake->newest, seen) ? seen : NULL
	};

	log_warning("an epoch is begun, since the database lacks what was seen",
	    log_text("seen", parameter.value));
	handshake->step = HANDSHAKE_EPOCH;
	session_query(
	    handshake->session, HANDSHAKE_EPOCH_SQL, NULL, &parameter, 1);
	session_sync(handshake->session);
}

/* What was seen of an epoch that has ended counts no more. */
static void
handshake_take_epoch(struct handshake *handshake, const PGresult *result)
{
	newest_begin(handshake->newest, columns_number(result, 0, 6));
}

static void
handshake_take_hello(struct handshake *handshake, const PGresult *result)
{
	const char *lockout =
	    columns_is_null(result, 0, 5) ? NULL : columns_text(result, 0, 5);

	if (handshake->offer != 0 && !handshake_take_offer(handshake, lockout))
		return;
	handshake->locked_out = lockout != NULL;
	handshake->behind = columns_flag(result, 0, 7);
	handshake_take_schema(handshake, result);
	handshake_take_faults(handshake, columns_text(result, 0, 1));
	if (!handshake->refused && !columns_is_null(result, 0, 3))
		handshake_unwrap_pepper(handshake, result, 2);
	if (!handshake->refused && !columns_is_null(result, 0, 4) &&
	    !keyring_activate(handshake->keyring, columns_text(result, 0, 4)))
		handshake_refuse(handshake,
		    "the active root key is not loaded: load that key");
	handshake->unfit = handshake->refused;
	if (!handshake->refused)
		handshake_take_epoch(handshake, result);
}

static void
handshake_take_session(struct handshake *handshake, const PGresult *result)
{
	handshake->examined = true;
	handshake_take_faults(handshake, columns_text(result, 0, 0));
}

static const char *
handshake_remedy(const char *sqlstate)
{
	size_t i;

	for (i = 0; i < HANDSHAKE_REMEDIES; i++) {
		if (strncmp(sqlstate, handshake_remedies[i].class,
			strlen(handshake_remedies[i].class)) == 0)
			return (handshake_remedies[i].text);
	}
	return ("deploy the SQL of this build with migrations/migrate, and "
		"connect as coffer_api");
}

static void
handshake_take_error(struct handshake *handshake, const char *sqlstate)
{
	static const char *const steps[] = {
		[HANDSHAKE_DEPLOY] = "the wait for a deploy",
		[HANDSHAKE_HELLO] = "daemon.hello",
		[HANDSHAKE_OLDER] = "daemon.hello",
		[HANDSHAKE_EPOCH] = "daemon.epoch_begin",
		[HANDSHAKE_PEPPER] = "daemon.pepper_keep",
		[HANDSHAKE_PREPARE] = "PREPARE",
		[HANDSHAKE_FORGET] = "DEALLOCATE ALL",
		[HANDSHAKE_PREPARE_AGAIN] = "PREPARE",
	};
	char fault[256];

	/*
	 * All that follows an error in a pipeline fails without a cause; and a
	 * session that was not examined has a handshake, which says more then.
	 */
	if (handshake->refused || handshake->taken || sqlstate[0] == '\0' ||
	    handshake->step == HANDSHAKE_EXAMINE)
		return;
	/* A pooler has left what others have prepared. */
	if (handshake->step == HANDSHAKE_PREPARE &&
	    retry_sqlstate(sqlstate)->remedy == REMEDY_PREPARE) {
		handshake->taken = true;
		return;
	}
	if (!session_is_writable(handshake->session))
		return (handshake_refuse(handshake,
		    "it takes no writes: connect to the primary, with "
		    "target_session_attrs=read-write"));
	if (handshake->step == HANDSHAKE_HELLO &&
	    strncmp(sqlstate, "42", 2) == 0) {
		handshake->older = true;
		return;
	}
	snprintf(fault, sizeof(fault), "%s fails with SQLSTATE %s: %s",
	    steps[handshake->step], sqlstate, handshake_remedy(sqlstate));
	handshake_refuse(handshake, fault);
}

/* Whether a result is what the statement of this step gives. */
static bool
handshake_fits(const struct handshake *handshake, const PGresult *result)
{
	const struct columns *columns = NULL;
	char fault[COLUMNS_FAULT_SIZE];

	if (handshake->step == HANDSHAKE_DEPLOY)
		columns = &handshake_deploy_columns;
	else if (handshake->step == HANDSHAKE_HELLO)
		columns = &handshake_hello_columns;
	else if (handshake->step == HANDSHAKE_OLDER)
		columns = &handshake_older_columns;
	else if (handshake->step == HANDSHAKE_PEPPER)
		columns = &handshake_pepper_columns;
	else if (handshake->step == HANDSHAKE_EPOCH)
		columns = &handshake_epoch_columns;
	else if (handshake->step == HANDSHAKE_EXAMINE)
		columns = &statement_find(STATEMENT_SESSION_FAULTS)->columns;
	if (columns == NULL || columns_fit(result, columns, fault))
		return (true);
	log_error(
	    "an answer of PostgreSQL is malformed", log_text("fault", fault));
	return (false);
}

void
handshake_result(struct handshake *handshake, const PGresult *result)
{
	char sqlstate[SESSION_SQLSTATE_SIZE];

	if (session_sqlstate(result, sqlstate))
		handshake_take_error(handshake, sqlstate);
	else if (!handshake_fits(handshake, result))
		handshake_refuse(handshake, HANDSHAKE_MALFORMED);
	else if (handshake->step == HANDSHAKE_DEPLOY)
		handshake->step = HANDSHAKE_HELLO;
	else if (handshake->step == HANDSHAKE_HELLO)
		handshake_take_hello(handshake, result);
	else if (handshake->step == HANDSHAKE_OLDER &&
	    handshake_take_schema(handshake, result))
		handshake_refuse(handshake, HANDSHAKE_MALFORMED);
	else if (handshake->step == HANDSHAKE_PEPPER &&
	    columns_rows(result) == 1)
		handshake_unwrap_pepper(handshake, result, 0);
	else if (handshake->step == HANDSHAKE_PEPPER)
		handshake_refuse(handshake,
		    "another root key has become active: it is tried again");
	else if (handshake->step == HANDSHAKE_EXAMINE)
		handshake_take_session(handshake, result);
}

/*
 * daemon.hello has recorded root keys that the daemon does not hold any more,
 * or not only: this one was sent before a reload, and may have been carried out
 * after the one that the reload has sent.  The last to be recorded must be
 * those that the daemon holds.
 */
static bool
handshake_is_outdated(const struct handshake *handshake)
{
	return (handshake->step == HANDSHAKE_HELLO &&
	    handshake->revision != keyring_revision(handshake->keyring));
}

enum handshake_outcome
handshake_finished(struct handshake *handshake)
{
	if (handshake_is_outdated(handshake)) {
		handshake_start(handshake);
		return (HANDSHAKE_GOES_ON);
	}
	if (handshake->step == HANDSHAKE_HELLO && handshake->behind &&
	    handshake->begins_epoch) {
		handshake_begin_epoch(handshake);
		handshake->refused = false;
		return (HANDSHAKE_GOES_ON);
	}
	if (handshake->step == HANDSHAKE_HELLO && handshake->older) {
		handshake_ask_older(handshake);
		return (HANDSHAKE_GOES_ON);
	}
	if (handshake->refused || handshake->step == HANDSHAKE_OLDER)
		return (HANDSHAKE_REFUSED);
	switch (handshake->step) {
	case HANDSHAKE_DEPLOY:
	case HANDSHAKE_HELLO:
		if (!keyring_has_pepper(handshake->keyring)) {
			handshake_make_pepper(handshake);
			return (HANDSHAKE_GOES_ON);
		}
		break;
	case HANDSHAKE_OLDER:
	case HANDSHAKE_PEPPER:
		break;
	case HANDSHAKE_EPOCH:
		handshake_start(handshake);
		return (HANDSHAKE_GOES_ON);
	case HANDSHAKE_PREPARE:
		if (!handshake->taken)
			return (HANDSHAKE_READY);
		handshake_prepare_again(handshake);
		return (HANDSHAKE_GOES_ON);
	case HANDSHAKE_FORGET:
		handshake->step = HANDSHAKE_PREPARE_AGAIN;
		handshake_prepare(handshake);
		session_query(handshake->session, "COMMIT", NULL, NULL, 0);
		session_sync(handshake->session);
		return (HANDSHAKE_GOES_ON);
	case HANDSHAKE_PREPARE_AGAIN:
		return (HANDSHAKE_READY);
	case HANDSHAKE_EXAMINE:
		if (handshake->examined)
			return (HANDSHAKE_READY);
		handshake_start(handshake);
		return (HANDSHAKE_GOES_ON);
	}
	handshake->step = HANDSHAKE_PREPARE;
	handshake_prepare(handshake);
	session_sync(handshake->session);
	return (HANDSHAKE_GOES_ON);
}
