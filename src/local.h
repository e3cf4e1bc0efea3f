/*
 * The endpoints that the daemon answers by itself.
 */
#ifndef COFFER_LOCAL_H
#define COFFER_LOCAL_H

#include <stdbool.h>

struct request;
struct service;

/* Sets the outcome when the endpoint of request is one; false: it is none. */
bool local_request(struct request *request);

/* Why the daemon does not serve, as /ready says it; NULL: it does. */
const char *local_not_ready(const struct service *service);

#endif
