#include <event2/event.h>
#include <stddef.h>

#include "base/memory.h"
#include "call/budget.h"
#include "http/listen.h"
#include "http/request.h"
#include "service.h"

/* The largest answer that an API function gives (sql/api.sql), in bytes. */
#define BUDGET_ANSWER_MAX (8L << 20)
/* Copies of an answer: libpq's, and the one that is sent. */
#define BUDGET_COPIES 2
#define BUDGET_INTERVAL_MS 100

TAILQ_HEAD(budget_queue, budget_call);

/*
 * How large a page is, nobody knows before it is there, so only so many pages
 * are asked for at a time as fit if all are as large as may be.  The others
 * wait in the order in which they came.
 */
struct budget {
	struct service *service;
	struct budget_queue waiting;
	struct event *decide;
	long running;
	long most;
};

static bool
budget_is_spent(const struct service *service)
{
	return (listen_memory(service->listen) >
	    (size_t)service->settings.request_memory);
}

/* A daemon that stops lets all go on, so that they are answered. */
static bool
budget_admits(const struct budget *budget)
{
	return (budget->service->draining ||
	    (budget->running < budget->most &&
		!budget_is_spent(budget->service)));
}

static void
budget_run(struct budget *budget, struct budget_call *call)
{
	budget->running++;
	call->runs = true;
	call->decided(call->request, true);
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
	/* Clients take their answers without a word to this module. */
	if (call != NULL)
		evtimer_add(budget->decide, &interval);
}

struct budget *
budget_new(struct service *service)
{
	struct budget *budget = memory_new(sizeof(*budget));

	budget->service = service;
	budget->most = service->settings.request_memory /
	    (BUDGET_ANSWER_MAX * BUDGET_COPIES);
	if (budget->most == 0)
		budget->most = 1;
	TAILQ_INIT(&budget->waiting);
	budget->decide = evtimer_new(service->base, budget_decide, budget);
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
budget_request(struct request *request,
    void (*decided)(struct request *request, bool passes))
{
	struct budget *budget = request->service->budget;
	struct budget_call *call = &request->budget;

	if ((request->route.endpoint->flags & ENDPOINT_LARGE) == 0) {
		if (budget_is_spent(request->service))
			decided(request,
			    request_refuse(request, ERROR_UNAVAILABLE));
		else
			decided(request, true);
		return;
	}
	call->request = request;
	call->decided = decided;
	if (TAILQ_EMPTY(&budget->waiting) && budget_admits(budget))
		return (budget_run(budget, call));
	call->waits = true;
	TAILQ_INSERT_TAIL(&budget->waiting, call, entry);
	event_active(budget->decide, EV_TIMEOUT, 0);
}

void
budget_leave(struct request *request)
{
	struct budget *budget = request->service->budget;
	struct budget_call *call = &request->budget;

	if (call->waits)
		TAILQ_REMOVE(&budget->waiting, call, entry);
	if (call->runs)
		budget->running--;
	if (call->runs && !TAILQ_EMPTY(&budget->waiting))
		event_active(budget->decide, EV_TIMEOUT, 0);
	call->waits = false;
	call->runs = false;
}
