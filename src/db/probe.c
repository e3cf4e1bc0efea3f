#include <event2/event.h>

#include "base/log.h"
#include "base/memory.h"
#include "db/pool.h"
#include "db/probe.h"

#define PROBE_INTERVAL 1 /* second, between two probes */

struct probe {
	struct pool *pool;
	struct event *timer;
	struct query query;
	bool running;
	bool wanted; /* a call has failed since the last probe began */
	bool failing;
};

static void
probe_set(struct probe *probe, bool failing)
{
	if (failing && !probe->failing)
		log_error("calls fail: the audit cannot be written");
	else if (!failing && probe->failing)
		log_info("calls can be carried out again");
	probe->failing = failing;
}

static void
probe_done(
    struct query *query, const PGresult *result, const struct error *error)
{
	const struct timeval time = { PROBE_INTERVAL, 0 };
	struct probe *probe = query->owner;

	(void)result;
	probe->running = false;
	probe_set(probe, error != NULL);
	/*
	 * Calls of a client that fail for reasons of their own must not cause a
	 * probe each.
	 */
	evtimer_add(probe->timer, &time);
}

static void
probe_run(struct probe *probe)
{
	const struct timeval time = { PROBE_INTERVAL, 0 };
	struct query *query = &probe->query;

	probe->wanted = false;
	query->statement = STATEMENT_AUDIT_PROBE;
	query->count = 0;
	query->repeatable = true;
	query->internal = true;
	query->label = "probe";
	query->owner = probe;
	query->done = probe_done;
	probe->running = pool_run(probe->pool, query);
	if (probe->running)
		return;
	/* Without a connection there is nothing to try yet. */
	probe->wanted = true;
	evtimer_add(probe->timer, &time);
}

static void
probe_tick(evutil_socket_t fd, short what, void *arg)
{
	struct probe *probe = arg;

	(void)fd;
	(void)what;
	if (probe->wanted || probe->failing)
		probe_run(probe);
}

struct probe *
probe_new(struct event_base *base, struct pool *pool)
{
	struct probe *probe = memory_new(sizeof(*probe));

	probe->pool = pool;
	probe->timer = evtimer_new(base, probe_tick, probe);
	return (probe);
}

void
probe_free(struct probe *probe)
{
	if (probe == NULL)
		return;
	pool_abandon(&probe->query);
	event_free(probe->timer);
	memory_free(probe);
}

void
probe_call_failed(struct probe *probe)
{
	probe->wanted = true;
	if (!probe->running && !evtimer_pending(probe->timer, NULL))
		probe_run(probe);
}

void
probe_call_succeeded(struct probe *probe)
{
	probe_set(probe, false);
}

const char *
probe_fault(const struct probe *probe)
{
	return (probe->failing ? "calls fail: the audit cannot be written, "
				 "see the log of PostgreSQL"
			       : NULL);
}
