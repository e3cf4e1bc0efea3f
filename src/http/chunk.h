/*
 * The body of a request that comes in chunks (RFC 9112, 7.1): where its data
 * begins and ends.
 *
 * The reader accepts one form only, because two readers that differ about the
 * end of a body let one client speak in the name of another.  It refuses chunk
 * extensions and trailers, which no client of the API sends.
 */
#ifndef COFFER_CHUNK_H
#define COFFER_CHUNK_H

#include <stddef.h>

#include "base/errors.h"

/* Digits of a size; more than any body needs. */
#define CHUNK_DIGITS_MAX 8
/* Bytes of framing between two pieces of data, at most. */
#define CHUNK_FRAMING_MAX (2 + CHUNK_DIGITS_MAX + 2)

enum chunk_state {
	CHUNK_SIZE, /* the size of the next chunk is not whole */
	CHUNK_SIZE_END,
	CHUNK_DATA, /* left bytes of data are next */
	CHUNK_DATA_END,
	CHUNK_DATA_FEED,
	CHUNK_LAST, /* after the chunk of size 0 */
	CHUNK_LAST_END,
	CHUNK_WHOLE,
	CHUNK_FAULT,
};

/* Zeroed for each body. */
struct chunk {
	enum chunk_state state;
	size_t digits; /* of the size that is read */
	size_t size;
	size_t left; /* bytes of the chunk's data that have not come */
	size_t body; /* bytes of data in all chunks so far */
	size_t framing; /* bytes that are not data, in all so far */

	/* At fault: what to answer, and why. */
	enum error_id error;
	const char *fault;
};

/*
 * Reads framing from the next bytes of a body, up to data, the end or a fault.
 * A body, and its framing, may be limit bytes long each.  Returns how many of
 * the bytes it has used.
 */
size_t
chunk_read(struct chunk *chunk, const char *bytes, size_t size, size_t limit);

/* In state CHUNK_DATA: the caller has used size bytes of data, at most left. */
void chunk_take(struct chunk *chunk, size_t size);

#endif
