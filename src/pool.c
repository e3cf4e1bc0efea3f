#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "crypto.h"
#include "greet.h"
#include "log.h"
#include "memory.h"
#include "pool.h"

#define POOL_RETRY_FIRST 100 /* ms until a lost connection is made again */
#define POOL_RETRY_LAST 5000 /* and at most, when that fails */
#define POOL_REPEAT_PAUSE 20 /* ms before a repeat, times its number */

enum seat_state {
	SEAT_CLOSED,
	SEAT_GREETING,
	SEAT_FREE,
	SEAT_RUNNING,
	SEAT_PREPARING, /* all statements anew, before its query runs again */
};

/* A place for one connection, and what it does now. */
struct pool_seat {
	TAILQ_ENTRY(pool_seat) entry; /* in the list of free ones */
	struct pool *pool;
	struct session *session;
	struct greet greet;
	enum seat_state state;
	struct event *retry;
	long delay;
	struct query *query; /* NULL while running: it was abandoned */
	PGresult *result;
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

/* Sends it again after a moment, if that has not been tried enough. */
static void
pool_repeat(
    struct pool *pool, struct query *query, int most, enum error_id error)
{
	if (query->repeats >= most || pool->closing) {
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
	session_clear(seat->result);
	seat->result = NULL;
}

/* The connection is gone; the fate of what ran on it is not known. */
static void
seat_lose(struct pool_seat *seat)
{
	struct pool *pool = seat->pool;
	struct query *query = seat->query;

	seat->query = NULL;
	seat_close(seat);
	seat_schedule(seat);
	if (query != NULL && query->repeatable && !query->lost_once) {
		query->lost_once = true;
		pool_again(pool, query);
	} else if (query != NULL) {
		query_finish(query, NULL, &errors[ERROR_UNAVAILABLE]);
	}
	pool_dispatch(pool);
}

static void
seat_send(struct pool_seat *seat)
{
	struct query *query = seat->query;

	seat->failed = false;
	seat->state = SEAT_RUNNING;
	session_execute(
	    seat->session, query->statement, query->parameters, query->count);
}

static void
seat_give(struct pool_seat *seat, struct query *query)
{
	TAILQ_REMOVE(&seat->pool->free, seat, entry);
	seat->query = query;
	query->seat = seat;
	seat_send(seat);
}

static void
seat_release(struct pool_seat *seat)
{
	seat->query = NULL;
	seat->state = SEAT_FREE;
	session_clear(seat->result);
	seat->result = NULL;
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

/* The statement failed; it has undone itself, and the connection is sound. */
static void
seat_mend(struct pool_seat *seat)
{
	struct pool *pool = seat->pool;
	struct query *query = seat->query;
	const struct error_sqlstate *state = seat_sqlstate(seat);
	enum error_remedy remedy = state->remedy;

	log_warning("call failed in the database",
	    log_text("id", query != NULL ? query->label : NULL),
	    log_text("statement", query != NULL ? query->statement : NULL),
	    log_text("sqlstate", seat->sqlstate));
	if (remedy == REMEDY_RECONNECT)
		return (seat_lose(seat));
	if (query != NULL && remedy == REMEDY_PREPARE &&
	    !query->prepared_again) {
		query->prepared_again = true;
		seat->state = SEAT_PREPARING;
		return (greet_prepare_again(&seat->greet));
	}
	seat_release(seat);
	if (query == NULL)
		return;
	if (remedy == REMEDY_AGAIN)
		pool_repeat(pool, query, state->repeats, ERROR_UNAVAILABLE);
	else if (remedy == REMEDY_AGAIN_FAULT)
		pool_repeat(pool, query, state->repeats, ERROR_INTERNAL);
	else if (remedy == REMEDY_GIVE_UP)
		query_finish(query, NULL, &errors[ERROR_UNAVAILABLE]);
	else
		query_finish(query, NULL, &errors[ERROR_INTERNAL]);
}

static void
seat_answer(struct pool_seat *seat)
{
	struct query *query = seat->query;
	PGresult *result = seat->result;

	seat->result = NULL;
	/* Free before done, so that a next round need not stand in line. */
	seat_release(seat);
	if (query != NULL)
		query_finish(query, result, NULL);
	session_clear(result);
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

	if (seat->state != SEAT_RUNNING) {
		greet_result(&seat->greet, result);
		session_clear(result);
	} else if (session_sqlstate(result, seat->sqlstate)) {
		seat->failed = true;
		session_clear(result);
	} else {
		session_clear(seat->result);
		seat->result = result;
	}
}

static void
pool_greeted(struct pool_seat *seat, enum greet_outcome outcome)
{
	struct pool *pool = seat->pool;
	long i;

	if (outcome == GREET_REFUSED) {
		seat->delay = POOL_RETRY_LAST;
		seat_close(seat);
		seat_schedule(seat);
		return;
	}
	seat->delay = POOL_RETRY_FIRST;
	pool->open++;
	seat_release(seat);
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
	else if (seat->state == SEAT_PREPARING && seat->query != NULL)
		seat_send(seat);
	else if (seat->state == SEAT_PREPARING)
		seat_release(seat);
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
		seat->delay = POOL_RETRY_FIRST;
	}
	seat_connect(&pool->seats[0]);
	return (pool);
}

void
pool_free(struct pool *pool)
{
	struct query *query;
	long i;

	if (pool == NULL)
		return;
	pool->closing = true;
	for (i = 0; i < pool->settings->pool_size; i++) {
		query = pool->seats[i].query;
		pool->seats[i].query = NULL;
		seat_close(&pool->seats[i]);
		if (query != NULL)
			query_finish(query, NULL, &errors[ERROR_UNAVAILABLE]);
		session_free(pool->seats[i].session);
		event_free(pool->seats[i].retry);
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
	    (query = query_line_next(pool->line)) != NULL)
		seat_give(seat, query);
}

bool
pool_run(struct pool *pool, struct query *query)
{
	struct pool_seat *seat = TAILQ_FIRST(&pool->free);

	if (pool->open == 0 || pool->closing ||
	    (seat == NULL &&
		query_line_length(pool->line) >= pool->settings->queue_limit))
		return (false);
	query->pool = pool;
	query->seat = NULL;
	query->pause = NULL;
	query->repeats = 0;
	query->prepared_again = false;
	query->lost_once = false;
	if (seat != NULL)
		seat_give(seat, query);
	else
		query_line_enter(pool->line, query, 0);
	return (true);
}

void
pool_abandon(struct query *query)
{
	struct pool *pool = query->pool;

	if (pool == NULL)
		return;
	query->pool = NULL;
	if (query->seat == NULL) {
		query_line_leave(query);
	} else {
		/* As much time again, then its connection is given up. */
		query->seat->query = NULL;
		session_start_timer(
		    query->seat->session, pool->settings->request_deadline);
	}
}
