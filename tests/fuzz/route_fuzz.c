#include <string.h>

#include "base/endpoints.h"
#include "base/percent.h"
#include "fuzz.h"
#include "base/route.h"

/* Captures lie within the path, and an escape is undone within its bounds. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *path = malloc(size + 1), *value;
	struct route route;
	size_t i, length;

	memcpy(path, bytes, size);
	path[size] = '\0';
	route_find(EVHTTP_REQ_GET, path, &route);
	FUZZ_EXPECT(route.endpoint == NULL || route.methods != 0);
	FUZZ_EXPECT(route.count <= ROUTE_CAPTURES_MAX);
	for (i = 0; i < route.count; i++) {
		FUZZ_EXPECT(route.captures[i].value >= path);
		FUZZ_EXPECT(
		    route.captures[i].value + route.captures[i].value_size <=
		    path + size);
		length = route.captures[i].value_size;
		value = percent_decode(route.captures[i].value, &length, true);
		FUZZ_EXPECT(length <= route.captures[i].value_size);
		free(value);
	}
	free(path);
	return (0);
}
