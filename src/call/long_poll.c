#include <event2/event.h>

#include "base/memory.h"
#include "call/long_poll.h"

TAILQ_HEAD(long_poll_list, long_poll);

struct long_polls {
	struct event_base *base;
	struct long_poll_list waiting;
	int64_t last_change;
	bool ended;
};

struct long_polls *
long_polls_new(struct event_base *base)
{
	struct long_polls *polls = memory_new(sizeof(*polls));

	polls->base = base;
	TAILQ_INIT(&polls->waiting);
	return (polls);
}

void
long_polls_free(struct long_polls *polls)
{
	memory_free(polls);
}

static void
long_poll_leave(struct long_poll *poll)
{
	if (poll->waits)
		TAILQ_REMOVE(&poll->polls->waiting, poll, entry);
	poll->waits = false;
}

/* From now on the API function may not let it wait. */
static void
long_poll_forbid(struct json_object *document)
{
	struct json_object *query, *values = json_object_new_array();

	json_object_array_add(values, json_object_new_string("0"));
	json_object_object_get_ex(document, "query", &query);
	json_object_object_add(query, "wait", values);
}

/* A call that runs comes back by itself, and does not wait then. */
static void
long_poll_is_over(evutil_socket_t fd, short what, void *arg)
{
	struct long_poll *poll = arg;

	(void)fd;
	(void)what;
	if (!poll->waits)
		return;
	long_poll_leave(poll);
	long_poll_forbid(poll->document);
	poll->resumed(poll->owner);
}

void
long_poll_sent(struct long_poll *poll)
{
	poll->last_change = poll->polls->last_change;
}

enum request_next
long_poll_wait(
    struct long_poll *poll, struct json_object *document, int64_t seconds)
{
	struct long_polls *polls = poll->polls;
	struct timeval time = { seconds, 0 };

	if (poll->end == NULL && seconds >= 0) {
		poll->end = evtimer_new(polls->base, long_poll_is_over, poll);
		evtimer_add(poll->end, &time);
	}
	if (polls->ended || poll->end == NULL ||
	    !evtimer_pending(poll->end, NULL)) {
		long_poll_forbid(document);
		return (REQUEST_RESTART);
	}
	/* A change became known after the call was sent: it may have missed it. */
	if (poll->last_change != polls->last_change)
		return (REQUEST_RESTART);
	poll->document = document;
	poll->waits = true;
	TAILQ_INSERT_TAIL(&polls->waiting, poll, entry);
	return (REQUEST_WAITS);
}

void
long_poll_free(struct long_poll *poll)
{
	long_poll_leave(poll);
	if (poll->end != NULL)
		event_free(poll->end);
}

/* A call that is resumed may wait again at once, which is not in this round. */
static void
long_polls_resume(struct long_polls *polls)
{
	struct long_poll_list all = TAILQ_HEAD_INITIALIZER(all);
	struct long_poll *poll;

	TAILQ_CONCAT(&all, &polls->waiting, entry);
	while ((poll = TAILQ_FIRST(&all)) != NULL) {
		TAILQ_REMOVE(&all, poll, entry);
		poll->waits = false;
		if (polls->ended)
			long_poll_forbid(poll->document);
		poll->resumed(poll->owner);
	}
}

void
long_polls_notify(struct long_polls *polls, int64_t last_change)
{
	if (polls->last_change == last_change)
		return;
	polls->last_change = last_change;
	long_polls_resume(polls);
}

void
long_polls_end(struct long_polls *polls)
{
	polls->ended = true;
	long_polls_resume(polls);
}
