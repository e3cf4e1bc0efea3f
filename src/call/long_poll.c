#include "call/challenge.h"
#include "call/long_poll.h"
#include "call/watch.h"
#include "http/request.h"
#include "service.h"

#define PATIENCE_MAX 60 /* seconds, as the argument `wait` has it */

/* From now on the door may not ask to wait. */
static void
patience_end(struct request *request)
{
	struct json_object *query, *values = json_object_new_array();

	json_object_array_add(values, json_object_new_string("0"));
	json_object_object_get_ex(request->document, "query", &query);
	json_object_object_add(query, "wait", values);
}

void
long_poll_resume(struct request *request, bool last)
{
	if (last)
		patience_end(request);
	call_anew(request);
}

/* While it runs, it comes back by itself, and is not parked again. */
static void
patience_lost(evutil_socket_t fd, short what, void *arg)
{
	struct request *request = arg;

	(void)fd;
	(void)what;
	if (!request->call.parked)
		return;
	watch_leave(request->service->watch, request);
	long_poll_resume(request, true);
}

void
long_poll_wait(struct request *request, struct json_object *need)
{
	struct service *service = request->service;
	struct call *call = &request->call;
	struct timeval time = { challenge_number(need, "wait", 0, PATIENCE_MAX),
		0 };

	if (call->patience == NULL && time.tv_sec >= 0) {
		call->patience =
		    evtimer_new(service->base, patience_lost, request);
		evtimer_add(call->patience, &time);
	}
	if (service->draining || call->patience == NULL ||
	    !evtimer_pending(call->patience, NULL))
		return (long_poll_resume(request, true));
	/* The bell rang while it was on its way, and its look was before. */
	if (call->last_change != service->audit.last_change)
		return (long_poll_resume(request, false));
	evtimer_del(call->deadline);
	watch_park(service->watch, request);
}
