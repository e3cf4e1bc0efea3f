/*
 * What commands share: options, one connection, and its statements.
 */
#ifndef COFFER_COMMAND_H
#define COFFER_COMMAND_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "base/settings.h"
#include "db/columns.h"
#include "db/dsn.h"

/* An exit status: the arguments are wrong, and the usage is to be printed. */
#define COMMAND_USAGE (-1)
#define COMMAND_OPTIONS_MAX 8 /* of a subcommand */

struct command_option {
	const char *name;
	const char *argument; /* NULL: it takes none */
	const char *help;
};

struct command_run;

/* A subcommand. */
struct command {
	const char *name; /* one word or two */
	const char *arguments; /* for the usage line */
	int operands; /* arguments that are no options */
	const struct command_option *options; /* the last has no name */
	bool has_settings; /* false: it runs without any */
	int (*run)(struct command_run *run); /* the exit status */
	const char *summary;
	const char *help;
};

struct command_run {
	const struct command *command;
	struct settings *settings; /* NULL: the command takes none */
	int argc; /* the arguments behind argv[0], which names the program */
	char **argv;
	char **operands; /* as many as the command takes */
};

enum command_option_state {
	COMMAND_OPTION,
	COMMAND_OPTION_END,
	COMMAND_OPTION_HELP, /* --help */
	COMMAND_OPTION_WRONG, /* which getopt has said */
};

struct command_value {
	const char *name;
	const char *value; /* NULL: the option takes none */
};

/* Begins with the first option again. */
void command_options_begin(void);

/* The next option of the arguments; at the end sets the operands. */
enum command_option_state
command_option_next(struct command_run *run, struct command_value *value);

/* Parses the value of that setting; NULL when why not was said. */
struct dsn *command_dsn(const char *setting, const char *value,
    const char *application) __attribute__((warn_unused_result));

/* Connects with the value of that setting; NULL when why not was said. */
PGconn *command_connect(const char *setting, const char *value);

/*
 * Runs one statement that gives these columns, or with NULL no rows; NULL when
 * why it failed was said: the SQLSTATE, words only where they are Coffer's
 * own, or in what its answer differs from these columns.
 */
PGresult *command_query(PGconn *connection, const char *sql, int count,
    const char *const *values, const int *sizes, const int *formats,
    const struct columns *columns);

/*
 * Has all that was printed written; false when some of it is lost, which main()
 * says in the end.
 */
bool command_flush(void) __attribute__((warn_unused_result));

#endif
