/*
 * The only writer of replies.
 */
#ifndef COFFER_RESPOND_H
#define COFFER_RESPOND_H

#include <stdint.h>

struct request;

/*
 * Logs the outcome of a request, then sends it.  The HTTP request is evhttp's
 * again afterwards, and must not be touched.
 */
void respond_request(struct request *request, int64_t microseconds);

#endif
