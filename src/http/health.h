/*
 * The endpoints that the daemon answers by itself: /live, /ready, /metadata.
 */
#ifndef COFFER_HEALTH_H
#define COFFER_HEALTH_H

#include <json-c/json.h>
#include <stdbool.h>

#include "base/endpoints.h"

struct evbuffer;
struct seal_state;

/* What they say, and where they get that from. */
struct health {
	const char *partition;
	const char *domain;
	const struct seal_state *audit;
	/* Why the daemon does not serve; NULL: it does. */
	const char *(*reason)(void *owner);
	/* What has to be mended: texts by name, for the caller to put. */
	struct json_object *(*warnings)(void *owner);
	void *owner;
};

/* Sets status and body when the endpoint is one of these; false: it is not. */
bool health_answer(const struct health *health, const struct endpoint *endpoint,
    int *status, struct evbuffer *body);

#endif
