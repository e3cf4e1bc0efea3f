#include "http/chunk.h"

static void
chunk_refuse(struct chunk *chunk, enum error_id error, const char *fault)
{
	chunk->state = CHUNK_FAULT;
	chunk->error = error;
	chunk->fault = fault;
}

static int
chunk_digit(char byte)
{
	if (byte >= '0' && byte <= '9')
		return (byte - '0');
	if (byte >= 'a' && byte <= 'f')
		return (byte - 'a' + 10);
	if (byte >= 'A' && byte <= 'F')
		return (byte - 'A' + 10);
	return (-1);
}

static void
chunk_size(struct chunk *chunk, char byte)
{
	const int digit = chunk_digit(byte);

	if (digit >= 0 && chunk->digits < CHUNK_DIGITS_MAX) {
		chunk->size = chunk->size * 16 + (size_t)digit;
		chunk->digits++;
	} else if (byte == '\r' && chunk->digits > 0)
		chunk->state = CHUNK_SIZE_END;
	else
		chunk_refuse(chunk, ERROR_REQUEST,
		    "the size of a chunk is not a few hexadecimal digits");
}

static void
chunk_begin(struct chunk *chunk, size_t limit)
{
	if (chunk->size > limit - chunk->body) {
		chunk_refuse(
		    chunk, ERROR_BODY_TOO_LARGE, "the body is too large");
		return;
	}
	chunk->body += chunk->size;
	chunk->left = chunk->size;
	chunk->state = chunk->size > 0 ? CHUNK_DATA : CHUNK_LAST;
	chunk->size = 0;
	chunk->digits = 0;
}

/* The byte that has to come, and the state after it. */
static void
chunk_expect(struct chunk *chunk, char byte, char expected,
    enum chunk_state next, const char *fault)
{
	if (byte == expected)
		chunk->state = next;
	else
		chunk_refuse(chunk, ERROR_REQUEST, fault);
}

static void
chunk_byte(struct chunk *chunk, char byte, size_t limit)
{
	switch (chunk->state) {
	case CHUNK_SIZE:
		chunk_size(chunk, byte);
		break;
	case CHUNK_SIZE_END:
		chunk_expect(chunk, byte, '\n', CHUNK_SIZE,
		    "the size of a chunk does not end its line");
		if (chunk->state == CHUNK_SIZE)
			chunk_begin(chunk, limit);
		break;
	case CHUNK_DATA_END:
		chunk_expect(chunk, byte, '\r', CHUNK_DATA_FEED,
		    "a chunk is longer than its size");
		break;
	case CHUNK_DATA_FEED:
		chunk_expect(chunk, byte, '\n', CHUNK_SIZE,
		    "a chunk is longer than its size");
		break;
	case CHUNK_LAST:
		chunk_expect(chunk, byte, '\r', CHUNK_LAST_END,
		    "trailers are not taken");
		break;
	default:
		chunk_expect(chunk, byte, '\n', CHUNK_WHOLE,
		    "the last chunk does not end its line");
	}
}

size_t
chunk_read(struct chunk *chunk, const char *bytes, size_t size, size_t limit)
{
	size_t used = 0;

	while (used < size && chunk->state != CHUNK_DATA &&
	    chunk->state != CHUNK_WHOLE && chunk->state != CHUNK_FAULT) {
		if (++chunk->framing > limit)
			chunk_refuse(chunk, ERROR_BODY_TOO_LARGE,
			    "the chunks of the body are too small");
		else
			chunk_byte(chunk, bytes[used++], limit);
	}
	return (used);
}

void
chunk_take(struct chunk *chunk, size_t size)
{
	chunk->left -= size;
	if (chunk->left == 0)
		chunk->state = CHUNK_DATA_END;
}
