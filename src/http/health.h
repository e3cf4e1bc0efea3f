/*
 * The endpoints that the daemon answers by itself.
 */
#ifndef COFFER_HEALTH_H
#define COFFER_HEALTH_H

#include <stdbool.h>

struct request;

/* Sets the outcome when the endpoint of request is one; false: it is none. */
bool health_request(struct request *request);

#endif
