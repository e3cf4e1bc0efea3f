/*
 * What becomes of a query that PostgreSQL has not carried out, or may have.
 */
#ifndef COFFER_RETRY_H
#define COFFER_RETRY_H

#include <stdbool.h>

#include "base/errors.h"
#include "db/query.h"

/* A time about as long, so that those who try again do not all come at once. */
long retry_jitter(long milliseconds);

/* What the table says of a SQLSTATE; what it does not have is a fault. */
const struct error_sqlstate *retry_sqlstate(const char *sqlstate);

/* Back into line, since nothing has happened; or, with nobody to serve, 503. */
void retry_again(struct query_line *line, struct query *query, bool served);

/*
 * It may have been done, and nobody knows.  A change waits for a connection
 * for as long as its caller does: once it is done, it would be a lie to say
 * that it failed, and sent again it is done once, as it says what it is.
 */
void retry_in_doubt(struct query_line *line, struct query *query, bool served);

/* It failed by itself, and has undone itself. */
void retry_failed(struct query_line *line, struct query *query,
    const struct error_sqlstate *state);

#endif
