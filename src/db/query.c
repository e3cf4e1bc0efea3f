#include "base/clock.h"
#include "base/memory.h"
#include "db/query.h"

TAILQ_HEAD(query_list, query);

struct query_line {
	struct event_base *base;
	void (*ready)(void *owner);
	void *owner;
	struct query_list waiting;
	struct query_list paused;
	long length;
};

bool
query_is_in_doubt(const struct query *query)
{
	return (query->pool != NULL && query->once &&
	    (query->seat != NULL || query->in_doubt));
}

void
query_end_deadline(struct query *query)
{
	if (query->deadline != NULL)
		event_free(query->deadline);
	query->deadline = NULL;
}

void
query_finish(
    struct query *query, const PGresult *result, const struct error *error)
{
	if (error == &errors[ERROR_UNAVAILABLE] && query->in_doubt)
		error = &errors[ERROR_IN_DOUBT];
	query->pool = NULL;
	query->seat = NULL;
	query_end_deadline(query);
	query->done(query, result, error);
}

enum query_kind
query_kind(const struct query *query)
{
	const bool groups = query->groups && !query->alone;

	/* A list whose group has failed goes alone, and still holds up nobody. */
	if (query->searches || (query->lists && !groups))
		return (QUERY_SEARCHING);
	if (query->lists)
		return (QUERY_LISTING);
	return (groups ? QUERY_GROUPING : QUERY_ALONE);
}

struct query_line *
query_line_new(struct event_base *base, void (*ready)(void *owner), void *owner)
{
	struct query_line *line = memory_new(sizeof(*line));

	line->base = base;
	line->ready = ready;
	line->owner = owner;
	TAILQ_INIT(&line->waiting);
	TAILQ_INIT(&line->paused);
	return (line);
}

void
query_line_free(struct query_line *line)
{
	memory_free(line);
}

long
query_line_length(const struct query_line *line)
{
	return (line->length);
}

static void
query_line_resume(evutil_socket_t fd, short what, void *arg)
{
	struct query *query = arg;
	struct query_line *line = query->line;

	(void)fd;
	(void)what;
	query_line_leave(query);
	query_line_enter(line, query, 0);
	line->ready(line->owner);
}

void
query_line_enter(
    struct query_line *line, struct query *query, long milliseconds)
{
	struct timeval time = { milliseconds / 1000,
		milliseconds % 1000 * 1000 };

	query->line = line;
	query->seat = NULL;
	query->since = clock_microseconds();
	if (milliseconds == 0) {
		TAILQ_INSERT_TAIL(&line->waiting, query, entry);
		line->length++;
	} else {
		query->pause =
		    evtimer_new(line->base, query_line_resume, query);
		evtimer_add(query->pause, &time);
		TAILQ_INSERT_TAIL(&line->paused, query, entry);
	}
}

struct query *
query_line_next(struct query_line *line, enum query_kind kinds)
{
	struct query *query;

	TAILQ_FOREACH (query, &line->waiting, entry) {
		if (query_kind(query) & kinds) {
			query_line_leave(query);
			return (query);
		}
	}
	return (NULL);
}

void
query_line_leave(struct query *query)
{
	struct query_line *line = query->line;

	if (query->pause != NULL) {
		TAILQ_REMOVE(&line->paused, query, entry);
		event_free(query->pause);
		query->pause = NULL;
	} else {
		TAILQ_REMOVE(&line->waiting, query, entry);
		line->length--;
	}
}

/* Whom nobody serves: NULL when all who are left are to stay. */
static struct query *
query_line_first(struct query_line *line, bool all)
{
	struct query *query;

	TAILQ_FOREACH (query, &line->waiting, entry) {
		if (all || !query->in_doubt)
			return (query);
	}
	return (all ? TAILQ_FIRST(&line->paused) : NULL);
}

void
query_line_dismiss(struct query_line *line, bool all, const struct error *error)
{
	struct query *query;

	while ((query = query_line_first(line, all)) != NULL) {
		query_line_leave(query);
		query_finish(query, NULL, error);
	}
}
