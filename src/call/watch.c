#include <sys/queue.h>

#include "base/memory.h"
#include "call/long_poll.h"
#include "call/watch.h"
#include "http/request.h"

TAILQ_HEAD(watch_list, call);

struct watch {
	struct watch_list parked;
};

struct watch *
watch_new(void)
{
	struct watch *watch = memory_new(sizeof(*watch));

	TAILQ_INIT(&watch->parked);
	return (watch);
}

void
watch_free(struct watch *watch)
{
	memory_free(watch);
}

void
watch_park(struct watch *watch, struct request *request)
{
	request->call.parked = true;
	request->call.request = request;
	TAILQ_INSERT_TAIL(&watch->parked, &request->call, entry);
}

void
watch_leave(struct watch *watch, struct request *request)
{
	if (request->call.parked)
		TAILQ_REMOVE(&watch->parked, &request->call, entry);
	request->call.parked = false;
}

/* One that is called again may be parked again at once: not in this round. */
static void
watch_resume(struct watch *watch, bool last)
{
	struct watch_list all = TAILQ_HEAD_INITIALIZER(all);
	struct call *call;

	TAILQ_CONCAT(&all, &watch->parked, entry);
	while ((call = TAILQ_FIRST(&all)) != NULL) {
		TAILQ_REMOVE(&all, call, entry);
		call->parked = false;
		long_poll_resume(call->request, last);
	}
}

void
watch_ring(struct watch *watch)
{
	watch_resume(watch, false);
}

void
watch_end(struct watch *watch)
{
	watch_resume(watch, true);
}
