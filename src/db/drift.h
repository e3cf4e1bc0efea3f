/*
 * The drift check: looks at intervals whether the database is still as it was
 * deployed, and tells it that this daemon runs.
 */
#ifndef COFFER_DRIFT_H
#define COFFER_DRIFT_H

#include <stdbool.h>

struct drift;
struct dsn;
struct event_base;
struct keyring;
struct newest;
struct pool;
struct settings;

/* What it uses; all of it outlives it. */
struct drift_context {
	struct event_base *base;
	const struct settings *settings;
	const char *instance; /* id of this run of the daemon */
	const bool *stopping; /* whether the daemon stops */
	struct dsn *dsn;
	struct pool *pool;
	struct keyring *keyring;
	struct newest *newest;
};

struct drift *drift_new(const struct drift_context *context);

/* Accepts NULL. */
void drift_free(struct drift *drift);

/* Looks at once, unless it is looking. */
void drift_now(struct drift *drift);

/* Whether the last look had no connection. */
bool drift_is_blind(const struct drift *drift);

/*
 * What the database does not answer, when neither the last looks nor any call
 * had an answer; NULL: one had.
 */
const char *drift_silence(const struct drift *drift);

#endif
