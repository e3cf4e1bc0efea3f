#include <string.h>

#include "base/load.h"
#include "base/route.h"

/* A segment ends at the next slash, or with the path. */
static size_t
route_segment(const char *text)
{
	return (strcspn(text, "/"));
}

static bool
route_match(const char *pattern, const char *path, struct route *route)
{
	struct route_capture *capture;
	size_t expected, given;

	route->count = 0;
	while (*pattern == '/' && *path == '/') {
		expected = route_segment(++pattern);
		given = route_segment(++path);
		if (*pattern == '{') {
			if (given == 0)
				return (false);
			capture = &route->captures[route->count++];
			capture->name = pattern + 1;
			capture->name_size = expected - 2;
			capture->value = path;
			capture->value_size = given;
		} else if (expected != given ||
		    memcmp(pattern, path, given) != 0) {
			return (false);
		}
		pattern += expected;
		path += given;
	}
	return (*pattern == '\0' && *path == '\0');
}

/* What the daemon answers by itself, it answers to HEAD as well. */
static unsigned int
route_methods(const struct endpoint *endpoint)
{
	unsigned int methods = endpoint->method;

	if (endpoint->flags & ENDPOINT_LOCAL)
		methods |= EVHTTP_REQ_HEAD;
	return (methods);
}

void
route_find(enum evhttp_cmd_type method, const char *path, struct route *route)
{
	struct route match = { .endpoint = NULL };
	size_t i;

	memset(route, 0, sizeof(*route));
	for (i = 0; i < endpoints_count; i++) {
		if (!route_match(endpoints[i].path, path, &match))
			continue;
		match.methods = route->methods | route_methods(&endpoints[i]);
		match.endpoint = NULL;
		if (route_methods(&endpoints[i]) & method)
			match.endpoint = &endpoints[i];
		if (match.endpoint != NULL || route->methods == 0)
			*route = match;
		if (match.endpoint != NULL)
			return;
		route->methods = match.methods;
	}
}

static const struct route_capture *
route_region(const struct route *route)
{
	const struct route_capture *region;
	size_t i;

	for (i = 0; i < route->count; i++) {
		region = &route->captures[i];
		if (region->name_size == strlen("region") &&
		    memcmp(region->name, "region", region->name_size) == 0)
			return (region);
	}
	return (NULL);
}

/*
 * A region that is not served is a path that does not exist.  But clients that
 * ask all the regions they know give up at the first error.  So lists exist in
 * such regions, and are empty.
 */
bool
route_takes_region(
    struct route *route, const char *served, const char *listed_empty)
{
	const struct endpoint *endpoint = route->endpoint;
	const struct route_capture *region = route_region(route);

	if (region == NULL ||
	    load_has_region(served, region->value, region->value_size))
		return (true);
	route->unserved = endpoint != NULL &&
	    (endpoint->flags & ENDPOINT_EMPTY) != 0 &&
	    load_has_region(listed_empty, region->value, region->value_size);
	return (route->unserved);
}
