#include <string.h>

#include "http/feed.h"

#define FEED_PLAIN "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
#define FEED_EMPTY_LINE "\r\n"
/* Fewer bytes are copied, for libevent keeps a block for each time it reads. */
#define FEED_MOVE_LEAST 4096

void
feed_init(struct feed *feed, const struct http_head_limits *limits)
{
	memset(feed, 0, sizeof(*feed));
	feed->limits = limits;
	feed->held = evbuffer_new();
	feed->lines = evbuffer_new();
	feed->body = evbuffer_new();
}

void
feed_free(struct feed *feed)
{
	evbuffer_free(feed->held);
	evbuffer_free(feed->lines);
	evbuffer_free(feed->body);
}

static void
feed_drain(struct evbuffer *buffer)
{
	evbuffer_drain(buffer, evbuffer_get_length(buffer));
}

/* Takes size bytes from the front of one buffer to the end of another. */
static void
feed_move(struct evbuffer *to, struct evbuffer *from, size_t size)
{
	if (size >= FEED_MOVE_LEAST) {
		evbuffer_remove_buffer(from, to, size);
		return;
	}
	evbuffer_add(to, evbuffer_pullup(from, (ssize_t)size), size);
	evbuffer_drain(from, size);
}

void
feed_hold(struct feed *feed, struct evbuffer *input, size_t size)
{
	size_t before = evbuffer_get_length(input) - size;
	struct evbuffer *front;

	if (before == 0) {
		feed_move(feed->held, input, size);
		return;
	}
	front = evbuffer_new();
	evbuffer_remove_buffer(input, front, before);
	feed_move(feed->held, input, size);
	evbuffer_add_buffer(input, front);
	evbuffer_free(front);
}

/* Giving ------------------------------------------------------------------- */

static void
feed_give_plain(struct feed *feed, struct evbuffer *input)
{
	feed_drain(feed->held);
	feed_drain(feed->lines);
	feed_drain(feed->body);
	evbuffer_add(input, FEED_PLAIN, strlen(FEED_PLAIN));
	feed->state = FEED_GIVEN;
}

static void
feed_give(struct feed *feed, struct evbuffer *input)
{
	feed->given =
	    evbuffer_get_length(feed->lines) + evbuffer_get_length(feed->body);
	evbuffer_add_buffer(input, feed->lines);
	if (feed->head.chunked)
		evbuffer_add_printf(input, "Content-Length: %zu\r\n",
		    evbuffer_get_length(feed->body));
	evbuffer_add(input, FEED_EMPTY_LINE, strlen(FEED_EMPTY_LINE));
	evbuffer_add_buffer(input, feed->body);
	feed->state = FEED_GIVEN;
}

void
feed_refuse(struct feed *feed, struct evbuffer *input, enum error_id error,
    const char *fault)
{
	feed->head.error = error;
	feed->head.fault = fault;
	feed_give_plain(feed, input);
}

/* Reading ------------------------------------------------------------------ */

static void
feed_take_head(struct feed *feed)
{
	const struct http_head *head = &feed->head;
	const struct http_head_line *line;
	size_t at = 0, i;

	for (i = 0; i < head->removed_count; i++) {
		line = &head->removed[i];
		evbuffer_remove_buffer(feed->held, feed->lines, line->at - at);
		evbuffer_drain(feed->held, line->size);
		at = line->at + line->size;
	}
	evbuffer_remove_buffer(
	    feed->held, feed->lines, head->size - strlen(FEED_EMPTY_LINE) - at);
	evbuffer_drain(feed->held, strlen(FEED_EMPTY_LINE));
}

/* A client that has begun to send the body does not wait for 100. */
static void
feed_begin_body(struct feed *feed)
{
	memset(&feed->chunk, 0, sizeof(feed->chunk));
	feed->state = feed->head.expects && evbuffer_get_length(feed->held) == 0
	    ? FEED_EXPECTS
	    : FEED_BODY;
}

/* Returns whether there is more to be done with what is held. */
static bool
feed_read_head(struct feed *feed, struct evbuffer *input)
{
	size_t size = evbuffer_get_length(feed->held);

	if (size > feed->limits->head + 1)
		size = feed->limits->head + 1;
	switch (http_head_read(&feed->head,
	    (char *)evbuffer_pullup(feed->held, (ssize_t)size), size,
	    feed->limits)) {
	case HTTP_HEAD_WHOLE:
		feed_take_head(feed);
		if (feed->head.body > 0 || feed->head.chunked)
			feed_begin_body(feed);
		else
			feed_give(feed, input);
		return (true);
	case HTTP_HEAD_FAULT:
		feed_give_plain(feed, input);
		return (false);
	default:
		return (false);
	}
}

/* Returns how many bytes of the body it has taken, of as many as are left. */
static size_t
feed_take_body(struct feed *feed, size_t left)
{
	size_t size = evbuffer_get_length(feed->held);

	if (size > left)
		size = left;
	feed_move(feed->body, feed->held, size);
	return (size);
}

/* Framing, or else the data up to the next framing. */
static void
feed_read_chunk(struct feed *feed)
{
	struct chunk *chunk = &feed->chunk;
	size_t size = evbuffer_get_length(feed->held);

	if (chunk->state == CHUNK_DATA) {
		chunk_take(chunk, feed_take_body(feed, chunk->left));
		return;
	}
	if (size > CHUNK_FRAMING_MAX)
		size = CHUNK_FRAMING_MAX;
	evbuffer_drain(feed->held,
	    chunk_read(chunk,
		(char *)evbuffer_pullup(feed->held, (ssize_t)size), size,
		feed->limits->body));
}

static void
feed_read_body(struct feed *feed, struct evbuffer *input)
{
	const struct chunk *chunk = &feed->chunk;
	bool whole;

	if (feed->head.chunked) {
		feed_read_chunk(feed);
		whole = chunk->state == CHUNK_WHOLE;
	} else {
		feed->head.body -= feed_take_body(feed, feed->head.body);
		whole = feed->head.body == 0;
	}
	if (feed->head.chunked && chunk->state == CHUNK_FAULT)
		feed_refuse(feed, input, chunk->error, chunk->fault);
	else if (whole)
		feed_give(feed, input);
}

void
feed_read(struct feed *feed, struct evbuffer *input)
{
	bool more = true;

	while (more && evbuffer_get_length(feed->held) > 0) {
		switch (feed->state) {
		case FEED_IDLE:
			memset(&feed->head, 0, sizeof(feed->head));
			feed->state = FEED_HEAD;
			break;
		case FEED_HEAD:
			more = feed_read_head(feed, input);
			break;
		case FEED_EXPECTS: /* it has not waited for 100 */
			feed->state = FEED_BODY;
			break;
		case FEED_BODY:
			feed_read_body(feed, input);
			break;
		case FEED_GIVEN:
			more = false;
		}
	}
}

void
feed_proceed(struct feed *feed)
{
	feed->state = FEED_BODY;
}

void
feed_answered(struct feed *feed)
{
	feed->given = 0;
	feed->state = FEED_IDLE;
}

void
feed_drop(struct feed *feed)
{
	feed_drain(feed->held);
}

const struct http_head *
feed_fault(const struct feed *feed)
{
	return (feed->head.fault != NULL ? &feed->head : NULL);
}

bool
feed_is_full(const struct feed *feed)
{
	return (evbuffer_get_length(feed->held) > feed->limits->head);
}

size_t
feed_size(const struct feed *feed)
{
	return (evbuffer_get_length(feed->held) +
	    evbuffer_get_length(feed->lines) + evbuffer_get_length(feed->body));
}
