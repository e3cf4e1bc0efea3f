/*
 * One run of a prepared statement.
 */
#ifndef COFFER_QUERY_H
#define COFFER_QUERY_H

#include <event2/event.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/errors.h"
#include "db/session.h"
#include "db/statements.h"

/*
 * The caller keeps a query, and everything that its parameters point to,
 * until done or pool_abandon was called.
 */
struct query {
	const char *statement;
	struct session_parameter parameters[STATEMENT_PARAMETERS_MAX];
	size_t count;
	bool repeatable; /* may be sent again, once, when its fate is unknown */
	bool once; /* and until then and abandoned: SQL knows it by its id */
	bool groups; /* may share its transaction with others of its kind */
	bool lists; /* looks at many rows, and is not to hold up others */
	bool searches; /* takes seconds, and is not to hold up lists either */
	bool internal; /* the daemon's own: it has a deadline in the pool */
	const char *label; /* names it in the log: the request's id */
	/*
	 * Exactly one of result and error is given; result is borrowed, and
	 * its transaction is committed.  The query may be freed or run again.
	 */
	void (*done)(struct query *query, const PGresult *result,
	    const struct error *error);
	void *owner;
	/* What PostgreSQL refused it with last; "": nothing since it was run. */
	char sqlstate[SESSION_SQLSTATE_SIZE];

	/* The pool's own. */
	TAILQ_ENTRY(query) entry;
	struct pool *pool; /* NULL: the pool does not have it */
	struct link *link; /* where it runs; NULL: it waits */
	struct queue *queue; /* where it waits, or has waited */
	int64_t since; /* when it entered the queue */
	struct event *deadline; /* of an internal one */
	bool settled; /* the host that serves has answered it */
	struct event *pause; /* until which it waits; NULL: for a connection */
	int repeats;
	bool alone; /* its group has failed: it gets a transaction of its own */
	bool prepared_again;
	bool lost_once;
	bool in_doubt; /* it may have been done; if it waits, it stays */
};

enum query_kind {
	QUERY_NONE = 0,
	QUERY_ALONE = 1 << 0,
	QUERY_GROUPING = 1 << 1,
	QUERY_LISTING = 1 << 2, /* these group, too, but with each other only */
	QUERY_SEARCHING = 1 << 3,
	QUERY_ANY =
	    QUERY_ALONE | QUERY_GROUPING | QUERY_LISTING | QUERY_SEARCHING,
};

/* How it is to be run: of all but QUERY_ALONE only some at a time. */
enum query_kind query_kind(const struct query *query);

/*
 * Whether a change may have been made, or may yet be: it runs, or was running
 * when its connection was lost.
 */
bool query_is_in_doubt(const struct query *query);

/* Forgets the deadline of an internal query; any other has none. */
void query_end_deadline(struct query *query);

/*
 * Calls done; the query is in nobody's hands then.  Instead of that the
 * service is unavailable, one that is in doubt is told so.
 */
void query_finish(
    struct query *query, const PGresult *result, const struct error *error);

#endif
