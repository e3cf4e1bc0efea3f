/*
 * What commands share: one connection, and its statements.
 */
#ifndef COFFER_COMMAND_H
#define COFFER_COMMAND_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "db/columns.h"
#include "db/dsn.h"

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
