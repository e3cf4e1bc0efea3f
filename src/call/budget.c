#include <event2/event.h>
#include <stddef.h>

#include "base/memory.h"
#include "call/budget.h"

/* The largest answer that an API function gives (sql/api.sql), in bytes. */
#define BUDGET_ANSWER_MAX ((size_t)8 << 20)
/* Copies of an answer: libpq's, and the one that is sent. */
#define BUDGET_COPIES 2
#define BUDGET_INTERVAL_MS 100

TAILQ_HEAD(budget_queue, budget_call);

/*
 * The size of a large answer is unknown before it arrives.  So only as many run
 * at a time as fit if each has the largest size.  The others wait in the order
 * in which they came.
 */
struct budget {
	size_t most; /* bytes */
	const bool *stopping;
	size_t (*memory)(void *owner);
	void *owner;
	struct budget_queue waiting;
	struct event *decide;
	size_t running;
	size_t running_most;
};

static bool
budget_is_spent(const struct budget *budget)
{
	return (budget->memory(budget->owner) > budget->most);
}

/* A daemon that stops admits all, so that they are answered. */
static bool
budget_admits(const struct budget *budget)
{
	return (*budget->stopping ||
	    (budget->running < budget->running_most &&
		!budget_is_spent(budget)));
}

static void
budget_run(struct budget *budget, struct budget_call *call)
{
	budget->running++;
	call->runs = true;
	call->decided(call->owner, true);
}

static void
budget_decide(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval interval = { 0, BUDGET_INTERVAL_MS * 1000 };
	struct budget *budget = arg;
	struct budget_call *call;

	(void)fd;
	(void)what;
	while ((call = TAILQ_FIRST(&budget->waiting)) != NULL &&
	    budget_admits(budget)) {
		TAILQ_REMOVE(&budget->waiting, call, entry);
		call->waits = false;
		budget_run(budget, call);
	}
	/* Nothing tells this module when a client has taken its answer. */
	if (call != NULL)
		evtimer_add(budget->decide, &interval);
}

struct budget *
budget_new(struct event_base *base, size_t most, const bool *stopping,
    size_t (*memory)(void *owner), void *owner)
{
	struct budget *budget = memory_new(sizeof(*budget));

	budget->most = most;
	budget->stopping = stopping;
	budget->memory = memory;
	budget->owner = owner;
	budget->running_most = most / (BUDGET_ANSWER_MAX * BUDGET_COPIES);
	if (budget->running_most == 0)
		budget->running_most = 1;
	TAILQ_INIT(&budget->waiting);
	budget->decide = evtimer_new(base, budget_decide, budget);
	return (budget);
}

void
budget_free(struct budget *budget)
{
	if (budget == NULL)
		return;
	event_free(budget->decide);
	memory_free(budget);
}

void
budget_begin(struct budget *budget, struct budget_call *call, bool large)
{
	if (!large)
		return (call->decided(call->owner, !budget_is_spent(budget)));
	if (TAILQ_EMPTY(&budget->waiting) && budget_admits(budget))
		return (budget_run(budget, call));
	call->waits = true;
	TAILQ_INSERT_TAIL(&budget->waiting, call, entry);
	event_active(budget->decide, EV_TIMEOUT, 0);
}

void
budget_end(struct budget *budget, struct budget_call *call)
{
	if (call->waits)
		TAILQ_REMOVE(&budget->waiting, call, entry);
	if (call->runs)
		budget->running--;
	if (call->runs && !TAILQ_EMPTY(&budget->waiting))
		event_active(budget->decide, EV_TIMEOUT, 0);
	call->waits = false;
	call->runs = false;
}
