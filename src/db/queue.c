#include <sys/queue.h>

#include "base/clock.h"
#include "base/memory.h"
#include "db/queue.h"

TAILQ_HEAD(query_list, query);

struct queue {
	struct event_base *base;
	void (*ready)(void *owner);
	void *owner;
	struct query_list waiting;
	struct query_list paused;
	long length;
};

struct queue *
queue_new(struct event_base *base, void (*ready)(void *owner), void *owner)
{
	struct queue *queue = memory_new(sizeof(*queue));

	queue->base = base;
	queue->ready = ready;
	queue->owner = owner;
	TAILQ_INIT(&queue->waiting);
	TAILQ_INIT(&queue->paused);
	return (queue);
}

void
queue_free(struct queue *queue)
{
	memory_free(queue);
}

long
queue_length(const struct queue *queue)
{
	return (queue->length);
}

static void
queue_resume(evutil_socket_t fd, short what, void *arg)
{
	struct query *query = arg;
	struct queue *queue = query->queue;

	(void)fd;
	(void)what;
	queue_leave(query);
	queue_enter(queue, query, 0);
	queue->ready(queue->owner);
}

void
queue_enter(struct queue *queue, struct query *query, long milliseconds)
{
	struct timeval time = clock_timeval(milliseconds);

	query->queue = queue;
	query->link = NULL;
	query->since = clock_microseconds();
	if (milliseconds == 0) {
		TAILQ_INSERT_TAIL(&queue->waiting, query, entry);
		queue->length++;
	} else {
		query->pause = evtimer_new(queue->base, queue_resume, query);
		evtimer_add(query->pause, &time);
		TAILQ_INSERT_TAIL(&queue->paused, query, entry);
	}
}

struct query *
queue_next(struct queue *queue, enum query_kind kinds)
{
	struct query *query;

	TAILQ_FOREACH (query, &queue->waiting, entry) {
		if (query_kind(query) & kinds) {
			queue_leave(query);
			return (query);
		}
	}
	return (NULL);
}

void
queue_leave(struct query *query)
{
	struct queue *queue = query->queue;

	if (query->pause != NULL) {
		TAILQ_REMOVE(&queue->paused, query, entry);
		event_free(query->pause);
		query->pause = NULL;
	} else {
		TAILQ_REMOVE(&queue->waiting, query, entry);
		queue->length--;
	}
}

/* The next query to dismiss; NULL: all that are left stay. */
static struct query *
queue_first(struct queue *queue, bool all)
{
	struct query *query;

	TAILQ_FOREACH (query, &queue->waiting, entry) {
		if (all || !query->in_doubt)
			return (query);
	}
	return (all ? TAILQ_FIRST(&queue->paused) : NULL);
}

void
queue_dismiss(struct queue *queue, bool all, const struct error *error)
{
	struct query *query;

	while ((query = queue_first(queue, all)) != NULL) {
		queue_leave(query);
		query_finish(query, NULL, error);
	}
}
