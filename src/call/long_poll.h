/*
 * Long polls: calls that wait for a change, until there is one or until the
 * time is over that their client has asked for.
 */
#ifndef COFFER_LONG_POLL_H
#define COFFER_LONG_POLL_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "call/request.h"

#define LONG_POLL_MAX 60 /* seconds, as the argument `wait` has it */

struct event;
struct event_base;
struct long_polls;

/* One call; its owner sets the first part before long_poll_sent(). */
struct long_poll {
	struct long_polls *polls;
	void (*resumed)(void *owner); /* the call is to be sent again */
	void *owner;

	/* long_poll.c's own. */
	TAILQ_ENTRY(long_poll) entry;
	struct json_object *document;
	struct event *end; /* of its client's time; NULL: it has not waited */
	int64_t last_change; /* that was known when it was sent */
	bool waits;
};

struct long_polls *long_polls_new(struct event_base *base);

/* Accepts NULL; no call waits any more. */
void long_polls_free(struct long_polls *polls);

/* The call is sent, and looks at what is there from now on. */
void long_poll_sent(struct long_poll *poll);

/*
 * The call has found no change, and may wait for so many seconds since it first
 * did.  Returns REQUEST_WAITS, and calls resumed later.  Or REQUEST_RESTART, when
 * there is a change since it was sent, or its time is over; in that case, and if
 * seconds is negative, the document says that it may not wait again.
 */
enum request_next long_poll_wait(
    struct long_poll *poll, struct json_object *document, int64_t seconds);

/* The call ends; it need not have waited. */
void long_poll_free(struct long_poll *poll);

/* The newest change has this number: if it is another, all are resumed. */
void long_polls_notify(struct long_polls *polls, int64_t last_change);

/* The daemon stops: all are resumed, and none waits any more. */
void long_polls_end(struct long_polls *polls);

#endif
