/*
 * From method and path to a row of the endpoint table.
 */
#ifndef COFFER_ROUTE_H
#define COFFER_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/endpoints.h"

#define ROUTE_CAPTURES_MAX 4

/* What a name in braces stood for: both point into pattern and path. */
struct route_capture {
	const char *name;
	size_t name_size;
	const char *value; /* as sent, with percent escapes */
	size_t value_size;
};

struct route {
	const struct endpoint *endpoint; /* NULL: none */
	unsigned int methods; /* those that this path has, or'ed */
	bool unserved; /* a list in a region that is not served: empty */
	size_t count;
	struct route_capture captures[ROUTE_CAPTURES_MAX];
};

/*
 * Finds the first row that fits.  Without one for the method, captures are
 * those of the first row that fits the path.
 */
void
route_find(enum evhttp_cmd_type method, const char *path, struct route *route);

/*
 * Whether the path exists in the region that it names, by the settings regions
 * and regions_listed_empty.  Sets unserved for a list of the second.
 */
bool route_takes_region(struct route *route, const char *served,
    const char *listed_empty) __attribute__((warn_unused_result));

#endif
