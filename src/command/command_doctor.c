#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "base/descriptors.h"
#include "base/endpoints.h"
#include "base/memory.h"
#include "command/command_doctor.h"
#include "db/dsn.h"
#include "db/session.h"
#include "db/statements.h"
#include "db/wrapped.h"
#include "http/tls.h"
#include "keys/keyring.h"

#define DOCTOR_COMMIT_WAIT 2 /* seconds; more are a fault */

#define DOCTOR_SQL                        \
	"SELECT what, found, fault FROM " \
	"daemon.doctor($1::text[], $2::integer)"
#define DOCTOR_ORPHANS_SQL "SELECT what, found, fault FROM daemon.orphans()"
#define DOCTOR_PEPPER_SQL "SELECT root_id, wrapped FROM daemon.pepper_get()"

static const struct columns doctor_columns = { 0, COLUMNS_ANY, 3,
	{ { .type = COLUMN_TEXT }, { .type = COLUMN_TEXT, .null = true },
	    { .type = COLUMN_TEXT, .null = true } } };
static const struct columns doctor_pepper_columns = { 0, 1, 2,
	{ { .type = COLUMN_TEXT }, { .type = COLUMN_BYTEA } } };
static const struct columns doctor_number_columns = { 1, 1, 1,
	{ { .type = COLUMN_INT8 } } };

struct doctor {
	const struct settings *settings;
	struct keyring *keyring; /* NULL: there is no root key */
	PGconn *connection;
	int faults;
};

/* Prints one check; fault has its remedy, too, and is NULL when all is well. */
static void
doctor_say(struct doctor *doctor, const char *what, const char *found,
    const char *fault)
{
	if (fault == NULL)
		printf("ok     %s: %s\n", what, found);
	else
		printf("FAULT  %s: %s\n", what, fault);
	doctor->faults += fault != NULL;
}

static void
doctor_check_root_key(struct doctor *doctor)
{
	char found[ROOT_KEY_MAX * ROOT_KEY_ID_SIZE + 3], cause[256], fault[512];

	doctor->keyring = keyring_new(doctor->settings, cause, sizeof(cause));
	if (doctor->keyring == NULL) {
		snprintf(fault, sizeof(fault),
		    "%s: put that in order, restore it from its copy, or make "
		    "one, `coffer root-key generate FILE`",
		    cause);
		return (doctor_say(doctor, "root key", NULL, fault));
	}
	keyring_root_ids(doctor->keyring, found, sizeof(found));
	doctor_say(doctor, "root key", found, NULL);
}

static void
doctor_check_descriptors(struct doctor *doctor)
{
	const rlim_t needed = (rlim_t)descriptors_needed(doctor->settings);
	struct rlimit limit = { 0, 0 };
	char text[160];

	getrlimit(RLIMIT_NOFILE, &limit);
	snprintf(text, sizeof(text),
	    limit.rlim_max >= needed
		? "%llu of %llu needed"
		: "%llu may be open, %llu are needed: raise LimitNOFILE, or "
		  "lower max_connections",
	    limit.rlim_max >= needed ? (unsigned long long)needed
				     : (unsigned long long)limit.rlim_max,
	    limit.rlim_max >= needed ? (unsigned long long)limit.rlim_max
				     : (unsigned long long)needed);
	doctor_say(doctor, "descriptors", text,
	    limit.rlim_max >= needed ? NULL : text);
}

static void
doctor_check_tls(struct doctor *doctor)
{
	char cause[256] = "", fault[512];
	struct tls *tls;

	if (!tls_is_set(doctor->settings))
		return (doctor_say(doctor, "TLS", "not used", NULL));
	tls = tls_new(doctor->settings, cause, sizeof(cause));
	snprintf(fault, sizeof(fault),
	    "%s: name files in PEM that the daemon's user can read, a "
	    "certificate with its chain and the key of it",
	    cause);
	doctor_say(doctor, "TLS", "certificate and key fit",
	    tls == NULL ? fault : NULL);
	tls_free(tls);
}

/* Connects to this host even if it is a standby and dsn asks for a primary. */
static PGconn *
doctor_connect(const struct dsn *dsn, const struct dsn_host *host)
{
	const char **keywords =
	    memory_new_array(dsn->count + 2, sizeof(*keywords));
	const char **values = memory_new_array(dsn->count + 2, sizeof(*values));
	PGconn *connection;
	size_t i;

	for (i = 0; host->keywords[i] != NULL; i++) {
		keywords[i] = host->keywords[i];
		values[i] = host->values[i];
	}
	keywords[i] = "target_session_attrs";
	values[i] = "any";
	connection = PQconnectdbParams(keywords, values, 0);
	PQsetErrorVerbosity(connection, PQERRORS_SQLSTATE);
	memory_free(keywords);
	memory_free(values);
	return (connection);
}

static void
doctor_say_host(struct doctor *doctor, const struct dsn *dsn,
    const struct dsn_host *host, const PGconn *connection)
{
	char what[DSN_NAME_SIZE + 8], cause[256], fault[512];

	snprintf(what, sizeof(what), "host %s", host->name);
	if (PQstatus(connection) != CONNECTION_OK) {
		session_cause(connection, cause, sizeof(cause));
		snprintf(fault, sizeof(fault),
		    "%s: start the server, or take it out of dsn", cause);
		doctor_say(doctor, what, NULL, fault);
	} else if (session_takes_writes(connection)) {
		doctor_say(doctor, what, "takes writes", NULL);
	} else {
		doctor_say(doctor, what, "answers, and takes no writes",
		    dsn_wants_writes(dsn)
			? NULL
			: "it answers, but takes no writes: have it passed "
			  "over, by target_session_attrs=read-write in dsn");
	}
}

/* Each host by itself; the first that takes writes is the database. */
static void
doctor_check_hosts(struct doctor *doctor, const struct dsn *dsn)
{
	const char *name = NULL;
	PGconn *connection;
	char cause[256], fault[512];
	size_t i;

	for (i = 0; i < dsn->hosts_count; i++) {
		connection = doctor_connect(dsn, &dsn->hosts[i]);
		if (dsn->hosts_count > 1)
			doctor_say_host(
			    doctor, dsn, &dsn->hosts[i], connection);
		snprintf(cause, sizeof(cause), "it takes no writes");
		if (PQstatus(connection) != CONNECTION_OK)
			session_cause(connection, cause, sizeof(cause));
		if (name == NULL && PQstatus(connection) == CONNECTION_OK &&
		    session_takes_writes(connection)) {
			doctor->connection = connection;
			name = dsn->hosts[i].name;
		} else {
			PQfinish(connection);
		}
	}
	snprintf(fault, sizeof(fault),
	    "%s: start the server, or put dsn in order",
	    dsn->hosts_count > 1 ? "none of its hosts takes writes" : cause);
	doctor_say(doctor, "database", name, name == NULL ? fault : NULL);
}

static bool
doctor_check_connection(struct doctor *doctor)
{
	struct dsn *dsn;
	char seconds[24], cause[256], fault[320];

	if (doctor->settings->dsn == NULL) {
		doctor_say(doctor, "database", NULL,
		    "setting dsn is not set: set it, for role coffer_api");
		return (false);
	}
	dsn = dsn_new(doctor->settings->dsn, "coffer/doctor");
	if (dsn == NULL) {
		dsn_cause(doctor->settings->dsn, cause, sizeof(cause));
		snprintf(fault, sizeof(fault),
		    "setting dsn: %s: mend it, for role coffer_api", cause);
		doctor_say(doctor, "database", NULL, fault);
		return (false);
	}
	snprintf(seconds, sizeof(seconds), "%ld",
	    doctor->settings->connect_timeout / 1000 + 1);
	setenv("PGCONNECT_TIMEOUT", seconds, 0);
	doctor_check_hosts(doctor, dsn);
	dsn_free(dsn);
	return (doctor->connection != NULL);
}

/* NULL: it failed, which is printed. */
static PGresult *
doctor_query(struct doctor *doctor, const char *what, const char *sql,
    int count, const char *const *values, const struct columns *columns)
{
	char sqlstate[SESSION_SQLSTATE_SIZE], fault[256];
	char malformed[COLUMNS_FAULT_SIZE];
	PGresult *result = PQexecParams(
	    doctor->connection, sql, count, NULL, values, NULL, NULL, 1);

	if (session_sqlstate(result, sqlstate)) {
		snprintf(fault, sizeof(fault),
		    "the database refuses (SQLSTATE %s): deploy the SQL of "
		    "this build with migrations/migrate, and connect as "
		    "coffer_api to the primary",
		    sqlstate);
	} else if (columns_fit(result, columns, malformed)) {
		return (result);
	} else {
		snprintf(fault, sizeof(fault),
		    "its answer is malformed (%s): connect to a PostgreSQL "
		    "that Coffer is in",
		    malformed);
	}
	doctor_say(doctor, what, NULL, fault);
	PQclear(result);
	return (NULL);
}

/* Prints a check for each row of a result, which may be NULL, and frees it. */
static void
doctor_say_rows(struct doctor *doctor, PGresult *result)
{
	int i;

	for (i = 0; i < columns_rows(result); i++)
		doctor_say(doctor, columns_text(result, i, 0),
		    columns_text(result, i, 1),
		    columns_is_null(result, i, 2) ? NULL
						  : columns_text(result, i, 2));
	PQclear(result);
}

/* What the database finds about itself. */
static void
doctor_check_database(struct doctor *doctor)
{
	char root_ids[ROOT_KEY_MAX * ROOT_KEY_ID_SIZE + 3] = "{}", size[24];
	const char *values[] = { root_ids, size };

	if (doctor->keyring != NULL)
		keyring_root_ids(doctor->keyring, root_ids, sizeof(root_ids));
	PQclear(PQexec(doctor->connection, "BEGIN; " STATEMENT_DEPLOY_SQL));
	snprintf(size, sizeof(size), "%ld", doctor->settings->pool_size);
	doctor_say_rows(doctor,
	    doctor_query(
		doctor, "database", DOCTOR_SQL, 2, values, &doctor_columns));
	PQclear(PQexec(doctor->connection, "COMMIT"));
}

/* It reads each table, which may take longer than a call. */
static void
doctor_check_orphans(struct doctor *doctor)
{
	PQclear(PQexec(doctor->connection, "SET statement_timeout = 0"));
	doctor_say_rows(doctor,
	    doctor_query(doctor, "orphans", DOCTOR_ORPHANS_SQL, 0, NULL,
		&doctor_columns));
	PQclear(PQexec(doctor->connection, "RESET statement_timeout"));
}

static void
doctor_check_pepper(struct doctor *doctor)
{
	struct keyring_wrapped wrapped;
	PGresult *result = doctor_query(doctor, "pepper", DOCTOR_PEPPER_SQL, 0,
	    NULL, &doctor_pepper_columns);
	char fault[160];
	bool unwraps;

	if (result != NULL && columns_rows(result) == 0) {
		doctor_say(doctor, "pepper", "none yet", NULL);
	} else if (result != NULL && doctor->keyring != NULL) {
		unwraps = wrapped_read(result, 0, 0, &wrapped) &&
		    keyring_pepper_load(doctor->keyring, &wrapped);
		snprintf(fault, sizeof(fault),
		    "root key %s does not unwrap it: add that key to the "
		    "root keys, or else restore the pepper from a backup",
		    wrapped.root_id);
		doctor_say(doctor, "pepper", "the root key unwraps it",
		    unwraps ? NULL : fault);
	}
	PQclear(result);
}

/* A call is answered after its commit, which may wait for a standby. */
static void
doctor_check_commits(struct doctor *doctor)
{
	PGresult *result = doctor_query(doctor, "commits",
	    STATEMENT_COMMIT_WAIT_SQL, 0, NULL, &doctor_number_columns);
	int64_t seconds;
	char text[160];

	if (result == NULL)
		return;
	seconds = columns_number(result, 0, 0);
	snprintf(text, sizeof(text),
	    "one has waited for a synchronous standby for %lld s: see "
	    "pg_stat_replication",
	    (long long)seconds);
	doctor_say(doctor, "commits", "none waits for a synchronous standby",
	    seconds > DOCTOR_COMMIT_WAIT ? text : NULL);
	PQclear(result);
}

/* Versions expire by the server's clock, and logs have the daemon's. */
static void
doctor_check_clock(struct doctor *doctor)
{
	const int64_t asked = clock_microseconds();
	PGresult *result = doctor_query(doctor, "clock", STATEMENT_CLOCK_SQL, 0,
	    NULL, &doctor_number_columns);
	int64_t ahead;
	char text[160];

	if (result == NULL)
		return;
	ahead = clock_apart(
	    columns_number(result, 0, 0), clock_microseconds() - asked);
	snprintf(text, sizeof(text),
	    "the database's is %lld s %s: have both set by NTP",
	    llabs((long long)ahead), ahead > 0 ? "ahead" : "behind");
	doctor_say(doctor, "clock", "as the database's",
	    llabs((long long)ahead) > CLOCK_APART_MOST ? text : NULL);
	PQclear(result);
}

static void
doctor_check_api(struct doctor *doctor)
{
	char sql[256], fault[256], sqlstate[SESSION_SQLSTATE_SIZE];
	int found = 0;
	PGresult *result;
	size_t i;

	for (i = 0; i < endpoints_count; i++) {
		if (endpoints[i].flags & ENDPOINT_LOCAL)
			continue;
		snprintf(
		    sql, sizeof(sql), STATEMENT_API_SQL, endpoints[i].function);
		result = PQprepare(doctor->connection, "", sql,
		    (int)statement_api.count, statement_api.types);
		if (session_sqlstate(result, sqlstate)) {
			snprintf(fault, sizeof(fault),
			    "api.%s cannot be called (SQLSTATE %s): deploy the "
			    "SQL of this build with migrations/migrate",
			    endpoints[i].function, sqlstate);
			doctor_say(doctor, "API functions", NULL, fault);
		} else {
			found++;
		}
		PQclear(result);
	}
	snprintf(fault, sizeof(fault), "%d can be called", found);
	doctor_say(doctor, "API functions", fault, NULL);
}

int
command_doctor(struct command_run *run)
{
	struct doctor doctor = { .settings = run->settings };

	/* main() has refused each setting that is wrong by itself. */
	doctor_say(&doctor, "settings", "each is within its bounds", NULL);
	doctor_check_root_key(&doctor);
	doctor_check_descriptors(&doctor);
	doctor_check_tls(&doctor);
	if (doctor_check_connection(&doctor)) {
		doctor_check_database(&doctor);
		doctor_check_orphans(&doctor);
		doctor_check_api(&doctor);
		doctor_check_pepper(&doctor);
		doctor_check_commits(&doctor);
		doctor_check_clock(&doctor);
	}
	PQfinish(doctor.connection);
	keyring_free(doctor.keyring);
	return (doctor.faults == 0 ? 0 : 1);
}
