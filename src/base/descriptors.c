#include "base/descriptors.h"

#define DESCRIPTORS_OTHER 64 /* /metrics included */

/* A connection that is replaced has its successor beside it. */
long
descriptors_needed(const struct settings *settings)
{
	return (settings->max_connections + settings->pool_size * 2 +
	    DESCRIPTORS_OTHER);
}
