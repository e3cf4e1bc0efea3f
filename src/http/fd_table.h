/*
 * Finds what belongs to a file descriptor.
 */
#ifndef COFFER_FD_TABLE_H
#define COFFER_FD_TABLE_H

#include <stddef.h>

/* Zeroed at first. */
struct fd_table {
	void **entries;
	size_t size;
};

void fd_table_free(struct fd_table *table);

/* What the descriptor, 0 or more, stands for from now on; NULL: nothing. */
void fd_table_set(struct fd_table *table, int fd, void *entry);

/* NULL: nothing was set. */
void *fd_table_get(const struct fd_table *table, int fd);

#endif
