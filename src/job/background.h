/*
 * Work in the background: it begins at intervals, and runs one query at a time.
 */
#ifndef COFFER_BACKGROUND_H
#define COFFER_BACKGROUND_H

#include <stdbool.h>
#include <stddef.h>

#include "db/query.h"

struct event;
struct event_base;
struct pool;

/* What all such work uses; all of it outlives the work. */
struct background_host {
	struct event_base *base;
	struct pool *pool;
	const bool *stopping; /* whether the daemon stops */
};

struct background {
	const struct background_host *host;
	struct query query;
	struct event *timer;
	long interval; /* ms */
	void (*begin)(void *owner);
	void *owner;
};

typedef void background_done(
    struct query *query, const PGresult *result, const struct error *error);

/*
 * Calls begin once the interval of milliseconds is over.  From then on the
 * work calls background_wait() when it has ended.  Label names its queries in
 * the log; owner is that of begin and of its queries.
 */
void background_start(struct background *background,
    const struct background_host *host, const char *label, long interval,
    void (*begin)(void *owner), void *owner);

/* Abandons the query that runs. */
void background_stop(struct background *background);

/* Begins again after the interval; or after so many milliseconds. */
void background_wait(struct background *background);
void background_pause(struct background *background, long milliseconds);

/* Whether the work is to end before all of it is done. */
bool background_is_stopping(const struct background *background);

/* Whether its query runs. */
bool background_is_running(const struct background *background);

/* Sets a parameter of its query, which is borrowed; text may be NULL. */
void background_text(struct background *background, size_t i, const char *text);
void background_bytes(
    struct background *background, size_t i, const void *bytes, size_t size);

/*
 * Runs a statement with the first count parameters.  It may be sent twice, so
 * the statement must not do again what it has done.  False: the pool does not
 * take it, done is not called, and the work begins again after the interval.
 */
bool background_query(struct background *background, const char *statement,
    size_t count, background_done *done);

#endif
