#include <string.h>

#include "base/memory.h"
#include "http/fd_table.h"

void
fd_table_free(struct fd_table *table)
{
	memory_free(table->entries);
	*table = (struct fd_table){ .entries = NULL };
}

static void
fd_table_grow(struct fd_table *table, size_t size)
{
	void **larger = memory_new_array(size, sizeof(*larger));

	if (table->size > 0)
		memcpy(larger, table->entries, table->size * sizeof(*larger));
	memory_free(table->entries);
	table->entries = larger;
	table->size = size;
}

void
fd_table_set(struct fd_table *table, int fd, void *entry)
{
	const size_t index = (size_t)fd;

	if (index >= table->size)
		fd_table_grow(table, index * 2 + 64);
	table->entries[index] = entry;
}

void *
fd_table_get(const struct fd_table *table, int fd)
{
	if (fd < 0 || (size_t)fd >= table->size)
		return (NULL);
	return (table->entries[fd]);
}
