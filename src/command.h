/*
 * What commands share: one connection, as the operator, and its statements.
 */
#ifndef COFFER_COMMAND_H
#define COFFER_COMMAND_H

#include <libpq-fe.h>

#include "settings.h"

/* Connects to operator_dsn under that name; NULL when why not was said. */
PGconn *command_connect(const struct settings *settings, const char *name);

/*
 * Runs one statement, results in binary or in text; NULL when why it failed
 * was said: the SQLSTATE, and words only where they are Coffer's own.
 */
PGresult *command_query(PGconn *connection, const char *sql, int count,
    const char *const *values, const int *sizes, const int *formats,
    int binary);

#endif
