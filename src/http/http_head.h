/*
 * Where a request ends and the next one begins, decided before evhttp reads a
 * byte of it.
 *
 * A proxy and a server that disagree about that let one client speak in the
 * name of another, so there is no second opinion: what is not written by the
 * letter of RFC 9112 is refused, and its connection closed.
 */
#ifndef COFFER_HTTP_HEAD_H
#define COFFER_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/errors.h"

/* No path of the API comes near it. */
#define HTTP_HEAD_PATH_MAX 2048
/* Headers.  SDKs and proxies together send fewer than 30. */
#define HTTP_HEAD_LINES_MAX 64
/* Header lines that say how the body comes: Transfer-Encoding and Expect. */
#define HTTP_HEAD_REMOVED_MAX 2

/* A header line with its end, counted from the first byte of the head. */
struct http_head_line {
	size_t at;
	size_t size;
};

struct http_head_limits {
	size_t head; /* bytes of a request line and its headers */
	size_t lines; /* headers */
	size_t body; /* bytes */
};

enum http_head_state {
	HTTP_HEAD_MORE, /* the head is not whole */
	HTTP_HEAD_WHOLE,
	HTTP_HEAD_FAULT,
};

/* Zeroed for each request. */
struct http_head {
	size_t seen; /* bytes of the head that are known to be sound */
	size_t size; /* when whole: of the head, with the empty line */
	size_t body; /* when whole: the size of what follows it, ... */
	bool chunked; /* ... or else it follows in chunks (chunk.h) */
	bool expects; /* the client waits for 100 before it sends the body */
	/* What evhttp must not see, in this order. */
	struct http_head_line removed[HTTP_HEAD_REMOVED_MAX];
	size_t removed_count;

	/* When at fault: what to answer, and why. */
	enum error_id error;
	const char *fault;
};

/*
 * Looks at the first bytes of a request, of which there are more each time
 * until it says something else than HTTP_HEAD_MORE.
 */
enum http_head_state http_head_read(struct http_head *head, const char *bytes,
    size_t size, const struct http_head_limits *limits);

#endif
