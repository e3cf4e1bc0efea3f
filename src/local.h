/*
 * The endpoints that the daemon answers by itself.
 */
#ifndef COFFER_LOCAL_H
#define COFFER_LOCAL_H

#include <stdbool.h>

struct request;

/* Sets the outcome when the endpoint of request is one; false: it is none. */
bool local_request(struct request *request);

#endif
