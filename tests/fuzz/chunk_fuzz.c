#include <string.h>

#include "fuzz.h"
#include "http/chunk.h"

#define LIMIT 1000

/* Reads in pieces; returns how many bytes belong to the body. */
static size_t
chunk_all(struct chunk *chunk, const char *bytes, size_t size, size_t piece,
    char *data)
{
	size_t at = 0, taken = 0, next, n;

	while (at < size && chunk->state != CHUNK_WHOLE &&
	    chunk->state != CHUNK_FAULT) {
		next = piece < size - at ? piece : size - at;
		if (chunk->state == CHUNK_DATA) {
			n = chunk->left < next ? chunk->left : next;
			FUZZ_EXPECT(taken + n <= LIMIT);
			memcpy(data + taken, bytes + at, n);
			taken += n;
			chunk_take(chunk, n);
		} else
			n = chunk_read(chunk, bytes + at, next, LIMIT);
		at += n;
	}
	FUZZ_EXPECT(chunk->body <= LIMIT && chunk->framing <= LIMIT + 1);
	FUZZ_EXPECT(taken + chunk->left == chunk->body);
	FUZZ_EXPECT((chunk->state == CHUNK_FAULT) == (chunk->fault != NULL));
	return (at);
}

/* However the bytes are cut, they are the same body, or the same fault. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct chunk whole = { 0 }, piecemeal = { 0 };
	char data[LIMIT], other[LIMIT];
	/* Exactly as large as what may be read. */
	char *copy = malloc(size + 1);
	size_t used;

	memcpy(copy, bytes, size);
	used = chunk_all(&whole, copy, size, size + 1, data);
	FUZZ_EXPECT(chunk_all(&piecemeal, copy, size, 1, other) == used);
	FUZZ_EXPECT(whole.state == piecemeal.state);
	FUZZ_EXPECT(whole.body == piecemeal.body);
	FUZZ_EXPECT(memcmp(data, other, whole.body - whole.left) == 0);
	if (whole.state == CHUNK_WHOLE)
		FUZZ_EXPECT(memcmp(copy + used - 4, "\r\n\r\n", 4) == 0 &&
		    whole.body + whole.framing == used);
	free(copy);
	return (0);
}
