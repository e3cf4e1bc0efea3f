#include <stdio.h>
#include <string.h>

#include "db/columns.h"
#include "db/wrapped.h"

bool
wrapped_read(const PGresult *result, int row, int column,
    struct keyring_wrapped *wrapped)
{
	const char *root_id = columns_text(result, row, column);

	memset(wrapped, 0, sizeof(*wrapped));
	snprintf(wrapped->root_id, sizeof(wrapped->root_id), "%s", root_id);
	return (strlen(root_id) == sizeof(wrapped->root_id) - 1 &&
	    columns_copy(result, row, column + 1, wrapped->bytes,
		sizeof(wrapped->bytes)));
}
