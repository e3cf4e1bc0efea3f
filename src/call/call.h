/*
 * The call of a request to its API function, in as many rounds as there are
 * challenges to answer (challenge.h).
 */
#ifndef COFFER_CALL_H
#define COFFER_CALL_H

#include <event2/event.h>
#include <stdbool.h>

#include "call/request.h"

struct call;
struct key_cache;
struct keyring;
struct long_polls;
struct newest;
struct pool;
struct probe;

/* What all calls use; all of it outlives them. */
struct call_context {
	struct event_base *base;
	struct keyring *keyring;
	struct key_cache *key_cache;
	struct newest *newest;
	struct pool *pool;
	struct probe *probe;
	struct long_polls *long_polls;
	long deadline; /* ms that a call may take */
};

/*
 * Sets the call of a request.  From now on answered of the request is called,
 * with the outcome set, at the deadline at the latest.
 */
void call_begin(const struct call_context *context, struct request *request);

/* Sends it.  False: 503, and answered will not be called. */
bool call_send(struct request *request) __attribute__((warn_unused_result));

/* Wipes the key, and abandons a call that runs.  Accepts NULL. */
void call_free(struct call *call);

#endif
