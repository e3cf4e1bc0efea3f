#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/errors.h"
#include "command/command.h"
#include "db/session.h"

/* The operator's functions refuse any other isolation level. */
#define COMMAND_SESSION_SQL \
	"SET default_transaction_isolation = 'read committed'"

void
command_options_begin(void)
{
	optind = 0;
}

enum command_option_state
command_option_next(struct command_run *run, struct command_value *value)
{
	const struct command_option *row = run->command->options;
	struct option options[COMMAND_OPTIONS_MAX + 2] = { { .name = NULL } };
	int i, found = 0, letter;

	for (i = 0; i < COMMAND_OPTIONS_MAX && row[i].name != NULL; i++)
		options[i] = (struct option){ .name = row[i].name,
			.has_arg = row[i].argument != NULL ? required_argument
							   : no_argument,
			.val = 'o' };
	options[i] = (struct option){ .name = "help", .val = 'h' };
	letter = getopt_long(run->argc, run->argv, "", options, &found);
	switch (letter) {
	case 'o':
		value->name = row[found].name;
		value->value = row[found].argument != NULL ? optarg : NULL;
		return (COMMAND_OPTION);
	case 'h':
		return (COMMAND_OPTION_HELP);
	case -1:
		run->operands = run->argv + optind;
		return (COMMAND_OPTION_END);
	default:
		return (COMMAND_OPTION_WRONG);
	}
}

struct dsn *
command_dsn(const char *setting, const char *value, const char *application)
{
	char cause[256] = "it is not set";
	struct dsn *dsn = NULL;

	if (value != NULL)
		dsn = dsn_new(value, application);
	if (dsn != NULL)
		return (dsn);
	if (value != NULL)
		dsn_cause(value, cause, sizeof(cause));
	fprintf(stderr, "coffer: setting %s: %s\n", setting, cause);
	return (NULL);
}

PGconn *
command_connect(const char *setting, const char *value)
{
	struct dsn *dsn = command_dsn(setting, value, "coffer/command");
	PGconn *connection;
	char cause[256];

	if (dsn == NULL)
		return (NULL);
	connection = PQconnectdbParams((const char *const *)dsn->keywords,
	    (const char *const *)dsn->values, 0);
	dsn_free(dsn);
	if (PQstatus(connection) != CONNECTION_OK) {
		session_cause(connection, cause, sizeof(cause));
		fprintf(stderr, "coffer: %s\n", cause);
		PQfinish(connection);
		return (NULL);
	}
	PQsetErrorContextVisibility(connection, PQSHOW_CONTEXT_NEVER);
	PQclear(PQexec(connection, COMMAND_SESSION_SQL));
	return (connection);
}

static bool
command_fits(const PGresult *result, const struct columns *columns)
{
	char fault[COLUMNS_FAULT_SIZE];

	if (columns == NULL || columns_fit(result, columns, fault))
		return (true);
	fprintf(stderr, "coffer: the answer of the database is malformed: %s\n",
	    fault);
	return (false);
}

/* Coffer's own words never hold the values that they are about. */
PGresult *
command_query(PGconn *connection, const char *sql, int count,
    const char *const *values, const int *sizes, const int *formats,
    const struct columns *columns)
{
	PGresult *result = PQexecParams(
	    connection, sql, count, NULL, values, sizes, formats, 1);
	char sqlstate[SESSION_SQLSTATE_SIZE];
	const char *hint = NULL;

	if (!session_sqlstate(result, sqlstate)) {
		if (command_fits(result, columns))
			return (result);
		PQclear(result);
		return (NULL);
	}
	if (strncmp(sqlstate, "SM", 2) == 0) {
		hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
		fprintf(stderr, "coffer: %s (SQLSTATE %s)\n",
		    PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
		    sqlstate);
	} else {
		fprintf(stderr, "coffer: the database refuses (SQLSTATE %s)\n",
		    sqlstate);
		if (strcmp(sqlstate, error_read_only) == 0)
			hint = "it takes no writes, as a standby: connect to "
			       "the primary";
	}
	if (hint != NULL)
		fprintf(stderr, "HINT: %s\n", hint);
	PQclear(result);
	return (NULL);
}

/* What was lost before does not make a later flush fail. */
bool
command_flush(void)
{
	return (fflush(stdout) == 0 && !ferror(stdout));
}
