/*
 * What becomes of a query that PostgreSQL has not carried out, or may have.
 */
#ifndef COFFER_RETRY_H
#define COFFER_RETRY_H

#include <stdbool.h>

#include "base/errors.h"
#include "db/queue.h"

/* A time about as long, so that those who try again do not all come at once. */
long retry_jitter(long milliseconds);

/* What the table says of a SQLSTATE; what it does not have is a fault. */
const struct error_sqlstate *retry_sqlstate(const char *sqlstate);

/*
 * Sends a query again that has done nothing: it goes back into the queue.  With
 * no connection open (served is false) it fails instead, with a 503.
 */
void retry_again(struct queue *queue, struct query *query, bool served);

/*
 * The connection was lost while the query ran.  A change waits for another
 * connection for as long as its caller does: it may be committed, so it cannot
 * be reported as failed, and SQL carries out each request id once.
 */
void retry_in_doubt(struct queue *queue, struct query *query, bool served);

/* PostgreSQL refused the query, and has undone it. */
void retry_failed(struct queue *queue, struct query *query,
    const struct error_sqlstate *state);

#endif
