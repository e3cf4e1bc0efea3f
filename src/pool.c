#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "crypto.h"
#include "greet.h"
#include "log.h"
#include "memory.h"
#include "metrics.h"
#include "pool.h"

#define POOL_RETRY_FIRST 100 /* ms until a lost connection is made again */
#define POOL_RETRY_LAST 5000 /* and at most, when that fails */
#define POOL_REPEAT_PAUSE 20 /* ms before a repeat, times its number */
#define POOL_GROUP_MAX 256 /* at the most that group_limit can be */

enum seat_state {
	SEAT_CLOSED,
	SEAT_GREETING,
	SEAT_FREE,
	SEAT_RUNNING,
	SEAT_PREPARING, /* all statements anew, before its query runs again */
};

struct pool_member {
	struct query *query; /* NULL: it was abandoned */
	PGresult *result;
};

/*
 * A place for one connection, and what it does now: one query, or several
 * reads in a group, in one transaction.
 */
struct pool_seat {
	TAILQ_ENTRY(pool_seat) entry; /* in the list of free ones */
	struct pool *pool;
	struct session *session;
	struct greet greet;
	enum seat_state state;
	struct event *retry;
	long delay;
	struct pool_member *members;
	long count; /* of members that were sent */
	long results; /* of those that have a result */
	bool reads;
	bool failed;
	char sqlstate[SESSION_SQLSTATE_SIZE];
};

TAILQ_HEAD(seat_list, pool_seat);

struct pool {
	struct event_base *base;
	const struct settings *settings;
	const struct dsn *dsn;
	struct keyring *keyring;
	struct pool_seat *seats;
	struct seat_list free;
	struct query_line *line;
	long open; /* seats that are free or running */
	long reading; /* seats that run reads */
	bool served; /* once, or more often */
	bool locked_out;
	bool closing;
};

static void pool_dispatch(void *);

/* Between three quarters and five quarters, so that not all come at once. */
static long
pool_jitter(long milliseconds)
{
	unsigned int random;

	crypto_random(&random, sizeof(random));
	return (milliseconds * 3 / 4 + random % (milliseconds / 2 + 1));
}

/* Puts a query back in line, or gives up when nobody could serve it. */
static void
pool_again(struct pool *pool, struct query *query)
{
	if (pool->open > 0 && !pool->closing)
		query_line_enter(pool->line, query, 0);
	else
		query_finish(query, NULL, &errors[ERROR_UNAVAILABLE]);
}

/*
 * It may have been done, and nobody knows.  A change waits for a connection
 * for as long as its caller does: once it is done, it would be a lie to say
 * that it failed, and sent again it is done once, as it says what it is.
 */
static void
pool_doubt(struct pool *pool, struct query *query)
{
	if (query->once && !pool->closing) {
		metrics_in_doubt();
		log_warning("a change is in doubt, it is sent again",
		    log_text("id", query->label));
		query->in_doubt = true;
		query_line_enter(pool->line, query, 0);
	} else if (query->repeatable && !query->lost_once) {
		query->lost_once = true;
		pool_again(pool, query);
	} else {
		query_finish(query, NULL, &errors[ERROR_UNAVAILABLE]);
	}
}

/* Sends it again after a moment, if that has not been tried enough. */
static void
pool_repeat(
    struct pool *pool, struct query *query, int most, enum error_id error)
{
	if ((query->repeats >= most && !query->in_doubt) || pool->closing) {
		query_finish(query, NULL, &errors[error]);
		return;
	}
	query->repeats++;
	query_line_enter(
	    pool->line, query, pool_jitter(POOL_REPEAT_PAUSE * query->repeats));
}

/* Seats -------------------------------------------------------------------- */

static void
seat_connect(struct pool_seat *seat)
{
	seat->state = SEAT_GREETING;
	seat->failed = false;
	evtimer_del(seat->retry);
	session_connect(seat->session, seat->pool->dsn,
	    seat->pool->settings->connect_timeout);
}

static void
seat_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	seat_connect(arg);
}

/*
 * While no connection serves, one seat alone tries, so that a database that
 * is down or unfit is not asked, and does not fill the log, many times over.
 */
static void
seat_schedule(struct pool_seat *seat)
{
	struct pool *pool = seat->pool;
	struct timeval time;
	long delay;

	if (pool->open == 0)
		seat = &pool->seats[0];
	if (pool->closing || seat->state != SEAT_CLOSED ||
	    evtimer_pending(seat->retry, NULL))
		return;
	delay = pool_jitter(seat->delay);
	time.tv_sec = delay / 1000;
	time.tv_usec = delay % 1000 * 1000;
	evtimer_add(seat->retry, &time);
	if (seat->delay < POOL_RETRY_LAST / 2)
		seat->delay *= 2;
	else
		seat->delay = POOL_RETRY_LAST;
}

/* The seat runs nothing any more; who was in it is copied to members. */
static long
seat_empty(struct pool_seat *seat, struct pool_member *members)
{
	long count = seat->count;

	memcpy(members, seat->members, (size_t)count * sizeof(*members));
	memset(seat->members, 0, (size_t)count * sizeof(*members));
	if (seat->reads)
		seat->pool->reading--;
	seat->reads = false;
	seat->count = 0;
	seat->results = 0;
	return (count);
}

static void
seat_close(struct pool_seat *seat)
{
	struct pool *pool = seat->pool;

	session_close(seat->session);
	if (seat->state == SEAT_FREE)
		TAILQ_REMOVE(&pool->free, seat, entry);
	if (seat->state != SEAT_CLOSED && seat->state != SEAT_GREETING)
		pool->open--;
	seat->state = SEAT_CLOSED;
}

/* The connection is gone; the fate of what ran on it is not known. */
static void
seat_lose(struct pool_seat *seat)
{
	struct pool_member members[POOL_GROUP_MAX];
	struct pool *pool = seat->pool;
	struct query *query;
	long count, i;

	seat_close(seat);
	count = seat_empty(seat, members);
	seat_schedule(seat);
	for (i = 0; i < count; i++) {
		query = members[i].query;
		session_clear(members[i].result);
		if (query != NULL)
			pool_doubt(pool, query);
	}
	pool_dispatch(pool);
}

static void
seat_send(struct pool_seat *seat)
{
	const struct query *query;
	long i;

	seat->failed = false;
	seat->state = SEAT_RUNNING;
	for (i = 0; i < seat->count; i++) {
		query = seat->members[i].query;
		session_execute(seat->session, query->statement,
		    query->parameters, query->count);
	}
	session_sync(seat->session);
}

static void
seat_add(struct pool_seat *seat, struct query *query)
{
	metrics_waited(clock_microseconds() - query->since);
	query->seat = seat;
	seat->members[seat->count++].query = query;
}

/* A query to run; a read takes along what waits of its kind. */
static void
seat_give(struct pool_seat *seat, struct query *query)
{
	struct pool *pool = seat->pool;

	TAILQ_REMOVE(&pool->free, seat, entry);
	seat->reads = query_kind(query) == QUERY_GROUPING;
	if (seat->reads)
		pool->reading++;
	seat_add(seat, query);
	while (seat->reads && seat->count < pool->settings->group_limit &&
	    (query = query_line_next(pool->line, QUERY_GROUPING)) != NULL)
		seat_add(seat, query);
	if (seat->reads)
		metrics_group(seat->count);
	seat_send(seat);
}

static void
seat_free(struct pool_seat *seat)
{
	seat->state = SEAT_FREE;
	session_stop_timer(seat->session);
	/* The one used last is used next: its caches are warm. */
	TAILQ_INSERT_HEAD(&seat->pool->free, seat, entry);
}

/* What the table says of the SQLSTATE; by default it is a fault. */
static const struct error_sqlstate *
seat_sqlstate(const struct pool_seat *seat)
{
	static const struct error_sqlstate fault = { .remedy = REMEDY_NONE };
	size_t i;

	for (i = 0; i < error_sqlstates_count; i++) {
		if (strncmp(seat->sqlstate, error_sqlstates[i].prefix,
			strlen(error_sqlstates[i].prefix)) == 0)
			return (&error_sqlstates[i]);
	}
	return (&fault);
}

/* What failed has undone itself; one query is told, or sent again. */
static void
seat_mend_query(
    struct pool *pool, struct query *query, const struct error_sqlstate *state)
{
	enum error_remedy remedy = state->remedy;

	if (remedy == REMEDY_AGAIN)
		pool_repeat(pool, query, state->repeats, ERROR_UNAVAILABLE);
	else if (remedy == REMEDY_AGAIN_FAULT)
		pool_repeat(pool, query, state->repeats, ERROR_INTERNAL);
	else if (remedy == REMEDY_GIVE_UP)
		query_finish(query, NULL, &errors[ERROR_UNAVAILABLE]);
	else
		query_finish(query, NULL, &errors[ERROR_INTERNAL]);
}

/*
 * A statement failed, and its transaction is undone; the connection is sound.
 * In a group nobody has been answered: each member is sent alone, so that one
 * does no harm to the others.
 */
static void
seat_mend(struct pool_seat *seat)
{
	struct pool_member members[POOL_GROUP_MAX];
	struct pool *pool = seat->pool;
	struct query *query = seat->members[0].query;
	const struct error_sqlstate *state = seat_sqlstate(seat);
	long count, i;

	metrics_sqlstate(seat->sqlstate);
	log_warning("call failed in the database",
	    log_text("id", query != NULL ? query->label : NULL),
	    log_text("statement", query != NULL ? query->statement : NULL),
	    log_number("group", seat->count),
	    log_text("sqlstate", seat->sqlstate));
	if (state->remedy == REMEDY_RECONNECT)
		return (seat_lose(seat));
	if (seat->count == 1 && query != NULL &&
	    state->remedy == REMEDY_PREPARE && !query->prepared_again) {
		query->prepared_again = true;
		seat->state = SEAT_PREPARING;
		return (greet_prepare_again(&seat->greet));
	}
	count = seat_empty(seat, members);
	seat_free(seat);
	for (i = 0; i < count; i++) {
		query = members[i].query;
		session_clear(members[i].result);
		if (query != NULL && count > 1) {
			query->alone = true;
			pool_again(pool, query);
		} else if (query != NULL) {
			seat_mend_query(pool, query, state);
		}
	}
}

static void
seat_answer(struct pool_seat *seat)
{
	struct pool_member members[POOL_GROUP_MAX];
	long count = seat_empty(seat, members), i;

	/*
	 * The database goes on with those who wait while these are answered.
	 * They leave as much room in the line as a next round may need.
	 */
	seat_free(seat);
	pool_dispatch(seat->pool);
	for (i = 0; i < count; i++) {
		if (members[i].query != NULL)
			query_finish(members[i].query, members[i].result, NULL);
		session_clear(members[i].result);
	}
}

/* Sessions ----------------------------------------------------------------- */

static void
pool_connected(void *owner)
{
	struct pool_seat *seat = owner;

	greet_start(&seat->greet);
}

static void
pool_result(void *owner, PGresult *result)
{
	struct pool_seat *seat = owner;
	char sqlstate[SESSION_SQLSTATE_SIZE];

	if (seat->state != SEAT_RUNNING) {
		greet_result(&seat->greet, result);
		session_clear(result);
	} else if (session_sqlstate(result, sqlstate)) {
		/* What follows the first fault fails without a cause. */
		if (!seat->failed)
			memcpy(seat->sqlstate, sqlstate, sizeof(sqlstate));
		seat->failed = true;
		session_clear(result);
	} else if (seat->results < seat->count) {
		seat->members[seat->results++].result = result;
	} else {
		session_clear(result);
	}
}

static void
pool_greeted(struct pool_seat *seat, enum greet_outcome outcome)
{
	struct pool *pool = seat->pool;
	long i;

	if (outcome == GREET_REFUSED) {
		if (seat->greet.locked_out && !pool->served) {
			pool->locked_out = true;
			event_base_loopbreak(pool->base);
		}
		seat->delay = POOL_RETRY_LAST;
		seat_close(seat);
		seat_schedule(seat);
		return;
	}
	seat->delay = POOL_RETRY_FIRST;
	pool->served = true;
	pool->open++;
	seat_free(seat);
	log_debug("connected to the database");
	if (pool->open > 1)
		return;
	log_info("the database serves");
	for (i = 0; i < pool->settings->pool_size; i++) {
		if (pool->seats[i].state == SEAT_CLOSED)
			seat_connect(&pool->seats[i]);
	}
}

static void
pool_finished(void *owner)
{
	struct pool_seat *seat = owner;
	enum greet_outcome outcome = GREET_READY;

	if (seat->state != SEAT_RUNNING)
		outcome = greet_finished(&seat->greet);
	if (outcome == GREET_GOES_ON)
		return;
	if (seat->state == SEAT_GREETING)
		pool_greeted(seat, outcome);
	else if (outcome == GREET_REFUSED)
		seat_lose(seat);
	else if (seat->state == SEAT_PREPARING &&
	    seat->members[0].query != NULL)
		seat_send(seat);
	else if (seat->state == SEAT_PREPARING)
		seat_answer(seat);
	else if (seat->failed)
		seat_mend(seat);
	else
		seat_answer(seat);
	pool_dispatch(seat->pool);
}

static void
pool_lost(void *owner, const char *cause)
{
	struct pool_seat *seat = owner;

	metrics_database_lost();
	log_warning("no connection to the database", log_text("cause", cause),
	    log_text("sqlstate", seat->failed ? seat->sqlstate : NULL));
	seat_lose(seat);
}

static const struct session_events pool_events = {
	.connected = pool_connected,
	.result = pool_result,
	.finished = pool_finished,
	.lost = pool_lost,
};

/* The pool ----------------------------------------------------------------- */

struct pool *
pool_new(struct event_base *base, const struct settings *settings,
    const struct dsn *dsn, struct keyring *keyring, const char *instance)
{
	struct pool *pool = memory_new(sizeof(*pool));
	struct pool_seat *seat;
	long i;

	pool->base = base;
	pool->settings = settings;
	pool->dsn = dsn;
	pool->keyring = keyring;
	TAILQ_INIT(&pool->free);
	pool->line = query_line_new(base, pool_dispatch, pool);
	pool->seats =
	    memory_new_array((size_t)settings->pool_size, sizeof(*pool->seats));
	for (i = 0; i < settings->pool_size; i++) {
		seat = &pool->seats[i];
		seat->pool = pool;
		seat->session = session_new(base, &pool_events, seat);
		seat->greet.session = seat->session;
		seat->greet.keyring = keyring;
		seat->greet.instance = instance;
		seat->retry = evtimer_new(base, seat_retry, seat);
		seat->members = memory_new_array(
		    (size_t)settings->group_limit, sizeof(*seat->members));
		seat->delay = POOL_RETRY_FIRST;
	}
	seat_connect(&pool->seats[0]);
	return (pool);
}

void
pool_free(struct pool *pool)
{
	struct pool_member members[POOL_GROUP_MAX];
	struct pool_seat *seat;
	long i, j, count;

	if (pool == NULL)
		return;
	pool->closing = true;
	for (i = 0; i < pool->settings->pool_size; i++) {
		seat = &pool->seats[i];
		seat_close(seat);
		count = seat_empty(seat, members);
		for (j = 0; j < count; j++) {
			session_clear(members[j].result);
			if (members[j].query != NULL)
				query_finish(members[j].query, NULL,
				    &errors[ERROR_UNAVAILABLE]);
		}
		session_free(seat->session);
		event_free(seat->retry);
		memory_free(seat->members);
	}
	query_line_dismiss(pool->line, true, &errors[ERROR_UNAVAILABLE]);
	query_line_free(pool->line);
	memory_free(pool->seats);
	memory_free(pool);
}

bool
pool_is_ready(const struct pool *pool)
{
	return (pool->open > 0 && keyring_has_pepper(pool->keyring));
}

const char *
pool_fault(const struct pool *pool)
{
	const struct greet *greet = &pool->seats[0].greet;

	return (pool->open == 0 && greet->refused ? greet->fault : NULL);
}

bool
pool_is_locked_out(const struct pool *pool)
{
	return (pool->locked_out);
}

void
pool_disconnect(struct pool *pool)
{
	long i;

	for (i = 0; i < pool->settings->pool_size; i++) {
		if (pool->seats[i].state != SEAT_CLOSED &&
		    pool->seats[i].state != SEAT_GREETING)
			seat_lose(&pool->seats[i]);
	}
}

void
pool_count(const struct pool *pool, struct metrics_now *now)
{
	const struct pool_seat *seat;

	now->pool_size = pool->settings->pool_size;
	now->pool_open = pool->open;
	now->pool_running = pool->open;
	TAILQ_FOREACH (seat, &pool->free, entry)
		now->pool_running--;
	now->queue = query_line_length(pool->line);
}

/* What may be sent now, if a seat is free: reads use only some of them. */
static enum query_kind
pool_kinds(const struct pool *pool)
{
	return (pool->reading < pool->settings->read_connections ? QUERY_ANY
								 : QUERY_ALONE);
}

/* Brings together who waits and what is free. */
static void
pool_dispatch(void *arg)
{
	struct pool *pool = arg;
	struct pool_seat *seat;
	struct query *query;

	/* With nobody left to serve them, those who wait are told at once. */
	if (pool->open == 0)
		query_line_dismiss(
		    pool->line, false, &errors[ERROR_UNAVAILABLE]);
	while ((seat = TAILQ_FIRST(&pool->free)) != NULL &&
	    (query = query_line_next(pool->line, pool_kinds(pool))) != NULL)
		seat_give(seat, query);
}

bool
pool_run(struct pool *pool, struct query *query)
{
	bool waits;

	query->alone = false;
	waits = TAILQ_EMPTY(&pool->free) ||
	    (query_kind(query) & pool_kinds(pool)) == 0;
	if (pool->open == 0 || pool->closing ||
	    (waits &&
		query_line_length(pool->line) >= pool->settings->queue_limit))
		return (false);
	query->pool = pool;
	query->seat = NULL;
	query->pause = NULL;
	query->repeats = 0;
	query->prepared_again = false;
	query->lost_once = false;
	query->in_doubt = false;
	query_line_enter(pool->line, query, 0);
	if (!waits)
		pool_dispatch(pool);
	return (true);
}

/* What it runs is left to run, for as much time again, if nobody waits. */
static void
seat_abandon(struct pool_seat *seat, const struct query *query)
{
	bool wanted = false;
	long i;

	for (i = 0; i < seat->count; i++) {
		if (seat->members[i].query == query)
			seat->members[i].query = NULL;
		wanted = wanted || seat->members[i].query != NULL;
	}
	if (!wanted)
		session_start_timer(
		    seat->session, seat->pool->settings->request_deadline);
}

void
pool_abandon(struct query *query)
{
	if (query->pool == NULL)
		return;
	query->pool = NULL;
	if (query->seat == NULL)
		query_line_leave(query);
	else
		seat_abandon(query->seat, query);
}
