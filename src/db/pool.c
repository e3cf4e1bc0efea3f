#include <event2/event.h>
#include <sys/queue.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "db/failover.h"
#include "db/link.h"
#include "db/outcome.h"
#include "db/pool.h"
#include "db/queue.h"
#include "db/share.h"

#define POOL_CLEAN 1 /* s between two looks for links to be cleaned */
#define POOL_INTERNAL 10 /* s: more than the statement_timeout of the role */

struct pool {
	struct event_base *base;
	const struct settings *settings;
	struct links links;
	struct link **link; /* pool_size of them */
	struct queue *queue;
	struct share share;
	struct failover failover;
	struct event *gather; /* dispatches when the loop has run its events */
	struct event *clean;
	struct event *examine;
	long turn; /* of the link that is to be examined next */
	bool served; /* a link has been open */
	bool locked_out;
	bool holds; /* links are being closed: none gets a query */
	bool closing;
	void (*settled)(void *owner); /* NULL: it has been called */
	void *owner;
};

/* Who gets a connection ---------------------------------------------------- */

static void
pool_dispatch(void *arg)
{
	struct pool *pool = arg;
	struct link *link;
	struct query *query;

	if (pool->holds)
		return;
	/* With no connection, queries that wait fail at once. */
	if (pool->links.open == 0)
		queue_dismiss(pool->queue, false, &errors[ERROR_UNAVAILABLE]);
	while ((link = TAILQ_FIRST(&pool->links.free)) != NULL &&
	    (query = queue_next(pool->queue, share_kinds(&pool->share))) !=
		NULL) {
		share_begin(&pool->share, query_kind(query));
		link_run(link, query, pool->queue);
	}
}

static void
pool_gather(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	pool_dispatch(arg);
}

/* Links -------------------------------------------------------------------- */

/*
 * While no connection serves, one link alone tries, so that a database that
 * is down or unfit is not asked, and does not fill the log, many times over.
 */
static void
pool_connect_later(struct pool *pool, struct link *link)
{
	if (!pool->closing)
		link_connect_later(
		    pool->links.open == 0 ? pool->link[0] : link);
}

/* Closes all links that are open, but for this one; NULL: all. */
static void
pool_give_up(struct pool *pool, const struct link *but)
{
	long i;

	pool->holds = true;
	for (i = 0; i < pool->settings->pool_size; i++) {
		if (pool->link[i] != but && link_is_open(pool->link[i]))
			link_close(pool->link[i], GROUP_LOST);
	}
	pool->holds = false;
	pool_dispatch(pool);
}

static void
pool_tell_settled(struct pool *pool)
{
	void (*settled)(void *owner) = pool->settled;

	pool->settled = NULL;
	if (settled != NULL)
		settled(pool->owner);
}

static void
pool_opened(void *owner, struct link *link)
{
	struct pool *pool = owner;
	long i;

	pool->served = true;
	if (failover_is_due(&pool->failover, link_session(link)))
		pool_give_up(pool, link);
	if (pool->links.open == 1) {
		log_info("the database serves");
		pool_tell_settled(pool);
		for (i = 0; i < pool->settings->pool_size; i++) {
			if (link_state(pool->link[i]) == LINK_CLOSED)
				link_connect(pool->link[i]);
		}
	}
	pool_dispatch(pool);
}

static void
pool_refused(void *owner, struct link *link)
{
	struct pool *pool = owner;

	if (link_is_locked_out(link) && !pool->served) {
		pool->locked_out = true;
		event_base_loopbreak(pool->base);
	}
	pool_connect_later(pool, link);
	if (!pool->locked_out)
		pool_tell_settled(pool);
	pool_dispatch(pool);
}

static void
pool_ended(void *owner, struct link *link, struct group_end *end)
{
	struct pool *pool = owner;

	share_end(&pool->share, end->kind);
	pool_connect_later(pool, link);
	/*
	 * The database goes on with queries that wait while these are answered.
	 * They leave as much room in the queue as a next round may need.
	 */
	if (end->outcome == GROUP_ANSWERED)
		pool_dispatch(pool);
	outcome_tell(pool->queue, end, pool->links.open > 0);
	pool_dispatch(pool);
}

static const struct link_events pool_events = {
	.opened = pool_opened,
	.refused = pool_refused,
	.ended = pool_ended,
};

/*
 * A link that is used again and again overwrites in libpq's buffers what went
 * through before; from one that is not, keys and payloads are removed.
 */
static void
pool_clean(evutil_socket_t fd, short what, void *arg)
{
	struct pool *pool = arg;
	long i;

	(void)fd;
	(void)what;
	for (i = 0; i < pool->settings->pool_size; i++)
		link_clean(pool->link[i]);
}

/*
 * What a session began with may be changed while it serves, by a trigger that
 * nobody finds any more when its connection is examined.  One link after the
 * other, so that they do not all stop at once; each in check_interval.
 */
static void
pool_examine(evutil_socket_t fd, short what, void *arg)
{
	struct pool *pool = arg;
	struct link *link = pool->link[pool->turn];

	(void)fd;
	(void)what;
	pool->turn = (pool->turn + 1) % pool->settings->pool_size;
	link_examine(link);
}

/* The pool ----------------------------------------------------------------- */

static struct timeval
pool_turn_time(const struct settings *settings)
{
	long turn = settings->check_interval * 1000000 / settings->pool_size;

	return ((struct timeval){ turn / 1000000, turn % 1000000 });
}

struct pool *
pool_new(struct event_base *base, const struct settings *settings,
    struct dsn *dsn, struct keyring *keyring, struct newest *newest,
    const char *instance, void (*settled)(void *owner), void *owner)
{
	const struct timeval turn = pool_turn_time(settings);
	struct pool *pool = memory_new(sizeof(*pool));
	long i;

	pool->base = base;
	pool->settings = settings;
	pool->settled = settled;
	pool->owner = owner;
	pool->share.size = settings->pool_size;
	pool->share.reads = settings->read_connections;
	pool->queue = queue_new(base, pool_dispatch, pool);
	pool->gather = evtimer_new(base, pool_gather, pool);
	pool->clean = event_new(base, -1, EV_PERSIST, pool_clean, pool);
	event_add(pool->clean, &(struct timeval){ .tv_sec = POOL_CLEAN });
	pool->examine = event_new(base, -1, EV_PERSIST, pool_examine, pool);
	event_add(pool->examine, &turn);
	pool->links = (struct links){
		.base = base,
		.settings = settings,
		.dsn = dsn,
		.handshake = { .keyring = keyring,
		    .newest = newest,
		    .begins_epoch = settings->epoch_on_loss != 0,
		    .instance = instance },
		.failover = &pool->failover,
		.events = &pool_events,
		.owner = pool,
	};
	TAILQ_INIT(&pool->links.free);
	pool->link =
	    memory_new_array((size_t)settings->pool_size, sizeof(*pool->link));
	for (i = 0; i < settings->pool_size; i++)
		pool->link[i] = link_new(&pool->links);
	link_connect(pool->link[0]);
	return (pool);
}

void
pool_close(struct pool *pool)
{
	long i;

	if (pool == NULL)
		return;
	pool->closing = pool->holds = true;
	for (i = 0; i < pool->settings->pool_size; i++)
		link_close(pool->link[i], GROUP_CLOSED);
	queue_dismiss(pool->queue, true, &errors[ERROR_UNAVAILABLE]);
}

void
pool_free(struct pool *pool)
{
	long i;

	if (pool == NULL)
		return;
	for (i = 0; i < pool->settings->pool_size; i++)
		link_free(pool->link[i]);
	queue_free(pool->queue);
	event_free(pool->gather);
	event_free(pool->clean);
	event_free(pool->examine);
	memory_free(pool->link);
	memory_free(pool);
}

bool
pool_is_ready(const struct pool *pool)
{
	return (pool->links.open > 0 &&
	    keyring_has_pepper(pool->links.handshake.keyring));
}

bool
pool_takes_writes(const struct pool *pool)
{
	return (!pool->failover.read_only);
}

struct failover *
pool_failover(struct pool *pool)
{
	return (&pool->failover);
}

const char *
pool_fault(const struct pool *pool)
{
	return (pool->links.open == 0 ? link_fault(pool->link[0]) : NULL);
}

bool
pool_is_locked_out(const struct pool *pool)
{
	return (pool->locked_out);
}

void
pool_disconnect(struct pool *pool)
{
	pool_give_up(pool, NULL);
}

void
pool_count(const struct pool *pool, struct metrics_now *now)
{
	now->pool_size = pool->settings->pool_size;
	now->pool_open = pool->links.open;
	now->pool_running = pool->links.open - pool->links.free_count;
	now->queue = queue_length(pool->queue);
}

/* Queries ------------------------------------------------------------------ */

/*
 * A query that waits for a standby, a disk or a lock gives no sign: its owner
 * goes on without the answer.
 */
static void
pool_overdue(evutil_socket_t fd, short what, void *arg)
{
	struct query *query = arg;

	(void)fd;
	(void)what;
	log_warning("the database does not answer in time",
	    log_text("id", query->label),
	    log_text("statement", query->statement));
	pool_abandon(query);
	query->done(query, NULL, &errors[ERROR_UNAVAILABLE]);
}

static void
pool_begin_deadline(struct pool *pool, struct query *query)
{
	const struct timeval time = { POOL_INTERNAL, 0 };

	query->deadline = evtimer_new(pool->base, pool_overdue, query);
	evtimer_add(query->deadline, &time);
}

bool
pool_run(struct pool *pool, struct query *query)
{
	bool waits;

	query->alone = false;
	waits = TAILQ_EMPTY(&pool->links.free) ||
	    (query_kind(query) & share_kinds(&pool->share)) == 0;
	if (pool->links.open == 0 || pool->closing ||
	    (waits && queue_length(pool->queue) >= pool->settings->queue_limit))
		return (false);
	query->pool = pool;
	query->link = NULL;
	query->pause = NULL;
	query->repeats = 0;
	query->prepared_again = false;
	query->lost_once = false;
	query->in_doubt = false;
	if (query->internal)
		pool_begin_deadline(pool, query);
	queue_enter(pool->queue, query, 0);
	if (waits)
		return (true);
	/*
	 * A lone read goes at once.  While others run, those whose events the
	 * loop has already collected form a group: it calls this event last.
	 */
	if (pool->share.reading > 0 && query_kind(query) == QUERY_GROUPING &&
	    queue_length(pool->queue) < pool->settings->group_limit)
		event_active(pool->gather, EV_TIMEOUT, 0);
	else
		pool_dispatch(pool);
	return (true);
}

void
pool_abandon(struct query *query)
{
	struct link *link = query->link;

	if (query->pool == NULL)
		return;
	query->pool = NULL;
	query_end_deadline(query);
	if (link == NULL)
		return (queue_leave(query));
	outcome_unheard(query);
	link_abandon(link, query);
}
