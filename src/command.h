/*
 * What commands share: one connection, and its statements.
 */
#ifndef COFFER_COMMAND_H
#define COFFER_COMMAND_H

#include <libpq-fe.h>
#include <stdbool.h>

/* Connects with the value of that setting; NULL when why not was said. */
PGconn *command_connect(const char *setting, const char *value);

/*
 * Runs one statement, results in binary or in text; NULL when why it failed
 * was said: the SQLSTATE, and words only where they are Coffer's own.
 */
PGresult *command_query(PGconn *connection, const char *sql, int count,
    const char *const *values, const int *sizes, const int *formats,
    int binary);

/*
 * Has all that was printed written; false when some of it is lost, which main()
 * says in the end.
 */
bool command_flush(void) __attribute__((warn_unused_result));

#endif
