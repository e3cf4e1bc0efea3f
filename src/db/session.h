/*
 * One connection to PostgreSQL on the event loop.
 *
 * Statements are sent and then ended by session_sync: those between two of
 * them are one round trip and, but for what ends transactions by itself, one
 * transaction.  Nothing blocks, but for the look-up of a host name by libpq:
 * give addresses where that could take long.  No text of PostgreSQL leaves
 * this module, only SQLSTATEs.
 */
#ifndef COFFER_SESSION_H
#define COFFER_SESSION_H

#include <event2/event.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "db/dsn.h"

#define SESSION_SQLSTATE_SIZE 6
#define SESSION_CAUSE_SIZE 256

/* The cause when nothing has come in time, neither an answer nor an end. */
#define SESSION_SILENT "timeout"

struct session;

/* What the owner of a session is told; it may close the session in any. */
struct session_events {
	void (*connected)(void *owner);
	/*
	 * A result, one for each statement and in their order, which the owner
	 * clears.  It counts only when all have finished: an error may still
	 * come at the commit.  After an error the rest fails without a cause.
	 */
	void (*result)(void *owner, PGresult *result);
	/* All are over, their transaction is committed or undone. */
	void (*finished)(void *owner);
	/*
	 * The connection was lost, or not made in time, or a commit did not
	 * wait for its standby; it is closed, and nobody knows what it did.
	 * Of several hosts that were tried it is the cause of the first.
	 */
	void (*lost)(void *owner, const char *cause);
};

/* A parameter of a statement; value NULL is null. */
struct session_parameter {
	const void *value;
	size_t size; /* counts for binary ones */
	bool binary;
	bool secret; /* it, or what comes back for it, must not stay */
};

#define SESSION_PARAMETERS_MAX 6

struct session *session_new(
    struct event_base *base, const struct session_events *events, void *owner);
void session_free(struct session *session);

/*
 * Begins to connect: to one host after the other, beginning with dsn->first,
 * until one takes the connection; connected or lost will be called.  Each has
 * this much time, or what dsn says.
 */
void
session_connect(struct session *session, struct dsn *dsn, long milliseconds);

/* When it last began to connect, as clock_microseconds() tells the time. */
int64_t session_since(const struct session *session);

/* Whether it is connected to the host that served last. */
bool session_is_settled(const struct session *session);

/*
 * The host that it is connected to serves: new connections begin there from
 * now on.  True: it is another one than before, and a session connected to
 * that may wait for it in vain.
 */
bool
session_settle(struct session *session) __attribute__((warn_unused_result));

/* That host does not serve: new connections begin with the next. */
void session_pass(struct session *session);

/* Closes without calling the owner. */
void session_close(struct session *session);

/*
 * The time given to session_connect runs until it is stopped here: it is for
 * the owner to say when the session is ready.  Or it is started anew; when
 * that time is over, the cause is SESSION_SILENT.
 */
void session_stop_timer(struct session *session);
void session_start_timer(struct session *session, long milliseconds);

/* Whether this server is a standby, as it said last. */
bool session_is_standby(const struct session *session);

/* Whether this server takes writes; or that of any connection. */
bool session_is_writable(const struct session *session);
bool session_takes_writes(const PGconn *connection);

/*
 * Sends one statement, its results in binary.  types are those of its
 * parameters; NULL: PostgreSQL takes them from the statement.
 */
void session_query(struct session *session, const char *sql, const Oid *types,
    const struct session_parameter *parameters, size_t count);
void session_execute(struct session *session, const char *name,
    const struct session_parameter *parameters, size_t count);
void session_prepare(struct session *session, const char *name, const char *sql,
    const Oid *types, size_t count);

/* Has the result of what was sent so far come before what follows is done. */
void session_flush_results(struct session *session);

/* Ends what was sent since the last time; finished will be called. */
void session_sync(struct session *session);

/*
 * Whether libpq may still hold something secret; and a statement that
 * overwrites it, after which finished will be called.  No other may run.
 */
bool session_is_soiled(const struct session *session);
void session_clean(struct session *session);

/*
 * What is wrong with a connection, in libpq's own words and on one line; of
 * the server's words only the SQLSTATE, once a session has asked for that.
 */
void session_cause(const PGconn *connection, char *cause, size_t size);

/* The SQLSTATE of a failed result, "" when it has none; false: not failed. */
bool
session_sqlstate(const PGresult *result, char sqlstate[SESSION_SQLSTATE_SIZE]);

#endif
