/*
 * Rows of COPY in its binary format, out of a file or of a connection, one at
 * a time.
 */
#ifndef COFFER_PGCOPY_H
#define COFFER_PGCOPY_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#define PGCOPY_FIELDS_MAX 32

/* Bytes as the server sends them, big-endian; NULL is null. */
struct pgcopy_field {
	const unsigned char *bytes;
	uint32_t size;
};

struct pgcopy;

/* NULL when the file cannot be opened. */
struct pgcopy *
pgcopy_open(const char *path) __attribute__((warn_unused_result));

/* A query `COPY ... TO STDOUT (FORMAT binary)`; NULL when it is refused. */
struct pgcopy *pgcopy_query(PGconn *connection, const char *sql)
    __attribute__((warn_unused_result));

/* A connection serves other queries again. */
void pgcopy_free(struct pgcopy *copy);

/*
 * The next row, of at least count fields, which are good until the next call.
 * False at the end, and when what is read is no such row: pgcopy_failed tells.
 */
bool
pgcopy_next(struct pgcopy *copy, struct pgcopy_field *fields, uint16_t count);
bool pgcopy_failed(const struct pgcopy *copy);

/* A field as a signed number of 2, 4 or 8 bytes; 0 for NULL and other sizes. */
int64_t pgcopy_number(const struct pgcopy_field *field);

#endif
