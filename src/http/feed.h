/*
 * Gives evhttp one request at a time, when its head is complete and sound
 * (http_head.h) and its body has arrived.
 *
 * Bytes are held until then.  evhttp gets a body that came in chunks (chunk.h)
 * with a Content-Length, and in place of a faulty request a plain one that ends
 * the connection, so that the fault is answered like any request.
 */
#ifndef COFFER_FEED_H
#define COFFER_FEED_H

#include <event2/buffer.h>
#include <stdbool.h>
#include <stddef.h>

#include "http/chunk.h"
#include "http/http_head.h"

enum feed_state {
	FEED_IDLE, /* no byte of a request has arrived */
	FEED_HEAD, /* the head is not complete */
	FEED_EXPECTS, /* the client waits for 100 before it sends the body */
	FEED_BODY, /* the body is not complete */
	FEED_GIVEN, /* evhttp has the request, or the plain one */
};

struct feed {
	const struct http_head_limits *limits;
	enum feed_state state;
	struct http_head head; /* of the request that is read */
	struct chunk chunk; /* of its body, if that comes in chunks */
	struct evbuffer *held; /* what is not read yet */
	struct evbuffer *lines; /* the head, without its empty line */
	struct evbuffer *body; /* without the framing of chunks */
	size_t given; /* bytes of the request that evhttp has */
};

/* The limits are borrowed. */
void feed_init(struct feed *feed, const struct http_head_limits *limits);
void feed_free(struct feed *feed);

/* Takes the last size bytes of input away, to hold them. */
void feed_hold(struct feed *feed, struct evbuffer *input, size_t size);

/*
 * Reads what is held, and adds a complete request to input, which evhttp reads.
 * Reads nothing more in FEED_GIVEN.
 */
void feed_read(struct feed *feed, struct evbuffer *input);

/* The client was sent 100; state must be FEED_EXPECTS. */
void feed_proceed(struct feed *feed);

/* The request is answered: the next one may be read. */
void feed_answered(struct feed *feed);

/* Drops what has arrived, and adds the plain request to input. */
void feed_refuse(struct feed *feed, struct evbuffer *input, enum error_id error,
    const char *fault);

/* Drops what is held. */
void feed_drop(struct feed *feed);

/* What is wrong with the request; NULL: nothing. */
const struct http_head *feed_fault(const struct feed *feed);

/* Whether more is held than a head may have. */
bool feed_is_full(const struct feed *feed);

/* Bytes that are held, in all buffers. */
size_t feed_size(const struct feed *feed);

#endif
