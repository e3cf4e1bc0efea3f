/*
 * One HTTP request, from its arrival to its reply.
 */
#ifndef COFFER_HTTP_REQUEST_H
#define COFFER_HTTP_REQUEST_H

#include <stdbool.h>

struct budget;
struct call_context;
struct connection;
struct evhttp_request;
struct health;
struct keyring;
struct rates;
struct settings;

/* What all requests use; all of it outlives them. */
struct http_request_context {
	const struct settings *settings;
	const char *instance; /* id of this run of the daemon */
	const bool *stopping; /* whether the daemon stops */
	const struct keyring *keyring;
	const struct health *health;
	const struct call_context *calls;
	struct rates *rates;
	struct budget *budget;
};

/*
 * Takes charge of a request of evhttp, and answers it exactly once, now or
 * later, also when its client has gone.  If its connection has found a fault,
 * nothing else is known of the request.  The context is a
 * struct http_request_context.
 */
void http_request_start(void *context, struct evhttp_request *evhttp,
    struct connection *connection);

#endif
