/*
 * Whether the daemon serves, and what has to be mended although it does.  The
 * list in readiness.c is what /ready and /metrics say.
 */
#ifndef COFFER_READINESS_H
#define COFFER_READINESS_H

#include <json-c/json.h>
#include <stdbool.h>

struct drift;
struct job;
struct pool;
struct probe;
struct seal_state;
struct settings;

/* What it looks at. */
struct readiness {
	const struct settings *settings;
	const bool *stopping; /* whether the daemon stops */
	const struct pool *pool;
	const struct probe *probe;
	const struct drift *drift;
	const struct job *job;
	const struct seal_state *audit;
	struct json_object *const
	    *warnings; /* of the database; NULL: unknown */
};

/* Why the daemon does not serve; NULL: it does. */
const char *readiness_reason(const struct readiness *readiness);

/*
 * What has to be mended: an object of texts by the name of what warns, empty
 * when nothing does.  The caller frees it with json_object_put().
 */
struct json_object *readiness_warnings(const struct readiness *readiness);

#endif
