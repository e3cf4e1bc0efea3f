/*
 * One run of a prepared statement, and the line where such runs wait: for a
 * connection, or for a moment to pass before they are sent again.
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
	struct pool *pool; /* NULL: it is not in the pool's hands */
	struct pool_seat *seat; /* where it runs; NULL: it waits */
	struct query_line *line;
	int64_t since; /* it stands in line */
	struct event *deadline; /* of an internal one */
	bool settled; /* the host that serves has answered it */
	struct event *pause; /* it waits for this */
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

struct query_line;

/* ready is called when a query whose pause is over stands in line again. */
struct query_line *query_line_new(
    struct event_base *base, void (*ready)(void *owner), void *owner);
void query_line_free(struct query_line *line);

/* How many wait for a connection. */
long query_line_length(const struct query_line *line);

/* To the end of the line; after that time if not 0. */
void query_line_enter(
    struct query_line *line, struct query *query, long milliseconds);

/*
 * Out of the line: the first of these kinds that waits for a connection, NULL
 * if none does.
 */
struct query *query_line_next(struct query_line *line, enum query_kind kinds);

/* Out of the line, wherever it stands. */
void query_line_leave(struct query *query);

/* Gives this error to all; or leaves those who are in doubt, or pause. */
void query_line_dismiss(
    struct query_line *line, bool all, const struct error *error);

#endif
