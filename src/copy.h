/*
 * Rows of COPY in its binary format, out of a file or of a connection, one at
 * a time.
 */
#ifndef COFFER_COPY_H
#define COFFER_COPY_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#define COPY_FIELDS_MAX 32

/* Bytes as the server sends them, big-endian; NULL is null. */
struct copy_field {
	const unsigned char *bytes;
	uint32_t size;
};

struct copy;

/* NULL when the file cannot be opened. */
struct copy *copy_open(const char *path) __attribute__((warn_unused_result));

/* A query `COPY ... TO STDOUT (FORMAT binary)`; NULL when it is refused. */
struct copy *copy_query(PGconn *connection, const char *sql)
    __attribute__((warn_unused_result));

/* A connection serves other queries again. */
void copy_free(struct copy *copy);

/*
 * The next row, of at least count fields, which are good until the next call.
 * False at the end, and when what is read is no such row: copy_failed tells.
 */
bool copy_next(struct copy *copy, struct copy_field *fields, uint16_t count);
bool copy_failed(const struct copy *copy);

/* A field as a signed number of 4 or 8 bytes; 0 when it is none. */
int64_t copy_number(const struct copy_field *field);

#endif
