/*
 * The only writer of replies.
 */
#ifndef COFFER_RESPOND_H
#define COFFER_RESPOND_H

#include <stdbool.h>

struct evhttp_request;
struct request;

/*
 * Logs the outcome of a request, then sends it.  Fault is what the connection
 * found wrong with it, or NULL.  After a reply that closes, the client can send
 * nothing more.  The HTTP request is evhttp's again afterwards, and must not be
 * touched.
 */
void respond_request(struct request *request, struct evhttp_request *evhttp,
    const char *fault, bool closes);

#endif
