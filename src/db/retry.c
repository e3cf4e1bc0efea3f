#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/metrics.h"
#include "db/retry.h"

#define RETRY_PAUSE 20 /* ms before a repeat, times its number */

/* Between three quarters and five quarters. */
long
retry_jitter(long milliseconds)
{
	unsigned int random;

	crypto_random(&random, sizeof(random));
	return (milliseconds * 3 / 4 + random % (milliseconds / 2 + 1));
}

const struct error_sqlstate *
retry_sqlstate(const char *sqlstate)
{
	static const struct error_sqlstate fault = { .remedy = REMEDY_NONE };
	size_t i;

	for (i = 0; i < error_sqlstates_count; i++) {
		if (strncmp(sqlstate, error_sqlstates[i].prefix,
			strlen(error_sqlstates[i].prefix)) == 0)
			return (&error_sqlstates[i]);
	}
	return (&fault);
}

void
retry_again(struct queue *queue, struct query *query, bool served)
{
	if (served)
		queue_enter(queue, query, 0);
	else
		query_finish(query, NULL, &errors[ERROR_UNAVAILABLE]);
}

void
retry_in_doubt(struct queue *queue, struct query *query, bool served)
{
	if (query->once) {
		metrics_in_doubt();
		log_warning("a change is in doubt, it is sent again",
		    log_text("id", query->label));
		query->in_doubt = true;
		queue_enter(queue, query, 0);
	} else if (query->repeatable && !query->lost_once) {
		query->lost_once = true;
		retry_again(queue, query, served);
	} else {
		query_finish(query, NULL, &errors[ERROR_UNAVAILABLE]);
	}
}

/* After a moment, if that has not been tried enough. */
static void
retry_later(
    struct queue *queue, struct query *query, int most, enum error_id error)
{
	if (query->repeats >= most && !query->in_doubt) {
		query_finish(query, NULL, &errors[error]);
		return;
	}
	query->repeats++;
	queue_enter(queue, query, retry_jitter(RETRY_PAUSE * query->repeats));
}

void
retry_failed(struct queue *queue, struct query *query,
    const struct error_sqlstate *state)
{
	if (state->remedy == REMEDY_AGAIN || state->remedy == REMEDY_RECONNECT)
		retry_later(queue, query, state->repeats, ERROR_UNAVAILABLE);
	else if (state->remedy == REMEDY_AGAIN_FAULT)
		retry_later(queue, query, state->repeats, ERROR_INTERNAL);
	else if (state->remedy == REMEDY_GIVE_UP)
		query_finish(query, NULL, &errors[ERROR_UNAVAILABLE]);
	else
		query_finish(query, NULL, &errors[ERROR_INTERNAL]);
}
