#include <event2/event.h>

#include "base/clock.h"
#include "db/pool.h"
#include "job/background.h"

static void
background_begin(evutil_socket_t fd, short what, void *arg)
{
	struct background *background = arg;

	(void)fd;
	(void)what;
	background->begin(background->owner);
}

void
background_start(struct background *background,
    const struct background_host *host, const char *label, long interval,
    void (*begin)(void *owner), void *owner)
{
	background->host = host;
	background->interval = interval;
	background->begin = begin;
	background->owner = owner;
	background->query.repeatable = true;
	background->query.internal = true;
	background->query.label = label;
	background->query.owner = owner;
	background->timer =
	    evtimer_new(host->base, background_begin, background);
	background_wait(background);
}

void
background_stop(struct background *background)
{
	pool_abandon(&background->query);
	event_free(background->timer);
}

void
background_wait(struct background *background)
{
	background_pause(background, background->interval);
}

void
background_pause(struct background *background, long milliseconds)
{
	const struct timeval time = clock_timeval(milliseconds);

	evtimer_add(background->timer, &time);
}

bool
background_is_stopping(const struct background *background)
{
	return (*background->host->stopping);
}

bool
background_is_running(const struct background *background)
{
	return (background->query.pool != NULL);
}

void
background_text(struct background *background, size_t i, const char *text)
{
	background->query.parameters[i] =
	    (struct session_parameter){ .value = text };
}

void
background_bytes(
    struct background *background, size_t i, const void *bytes, size_t size)
{
	background->query.parameters[i] = (struct session_parameter){
		.value = bytes, .size = size, .binary = true
	};
}

bool
background_query(struct background *background, const char *statement,
    size_t count, background_done *done)
{
	struct query *query = &background->query;

	query->statement = statement;
	query->count = count;
	query->done = done;
	query->sqlstate[0] = '\0';
	if (pool_run(background->host->pool, query))
		return (true);
	background_wait(background);
	return (false);
}
