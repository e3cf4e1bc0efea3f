/*
 * Whether the daemon serves, and what has to be mended although it does.  The
 * list in readiness.c is what /ready and /metrics say.
 */
#ifndef COFFER_READINESS_H
#define COFFER_READINESS_H

#include <json-c/json.h>

struct service;

/* Why the daemon does not serve; NULL: it does. */
const char *readiness_reason(const struct service *service);

/*
 * What has to be mended: an object of texts by the name of what warns, empty
 * when nothing does.  The caller frees it with json_object_put().
 */
struct json_object *readiness_warnings(const struct service *service);

#endif
