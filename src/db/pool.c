#include <event2/event.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "base/utf8.h"
#include "db/columns.h"
#include "db/group.h"
#include "db/handshake.h"
#include "db/pool.h"
#include "db/retry.h"

#define POOL_RETRY_FIRST 100 /* ms until a lost connection is made again */
#define POOL_RETRY_LAST 5000 /* and at most, when that fails */
#define POOL_LISTS_SHARE 4 /* of the seats, lists use one in so many */
#define POOL_CLEAN 1 /* s between two looks for connections to be cleaned */
#define POOL_INTERNAL 10 /* s: more than the statement_timeout of the role */

enum seat_state {
	SEAT_CLOSED,
	SEAT_GREETING,
	SEAT_FREE,
	SEAT_RUNNING,
	SEAT_PREPARING, /* all statements anew, before its query runs again */
	SEAT_CLEANING, /* no query: what went through shall not stay */
	SEAT_EXAMINING, /* no query, until it is seen that it still may serve */
};

/* A place for one connection, and what runs on it. */
struct pool_seat {
	TAILQ_ENTRY(pool_seat) entry; /* in the list of free ones */
	struct pool *pool;
	struct session *session;
	struct handshake greet;
	enum seat_state state;
	struct event *retry;
	long delay;
	bool due; /* to be examined, before it runs another query */
	struct group group;
};

TAILQ_HEAD(seat_list, pool_seat);

struct pool {
	struct event_base *base;
	const struct settings *settings;
	struct dsn *dsn;
	struct keyring *keyring;
	struct pool_seat *seats;
	struct seat_list free;
	struct query_line *line;
	struct event *gather; /* dispatches when the loop has heard everybody */
	struct event *clean;
	struct event *examine;
	long turn; /* of the seat that is to be examined next */
	int64_t answered; /* when the host that serves has, a call, last */
	int64_t spoken; /* the same of anything */
	long open; /* seats that are free or running */
	long reading; /* seats that run reads */
	long listing; /* seats that run lists */
	long searching; /* seats that run a search */
	bool served; /* once, or more often */
	bool read_only; /* the server that has answered last takes no writes */
	void (*greeted)(void *owner); /* NULL: it has been called */
	void *owner;
	bool locked_out;
	bool giving_up; /* and none of them is to get calls of another */
	bool closing;
};

static void pool_dispatch(void *);

/* Seats -------------------------------------------------------------------- */

static void
seat_connect(struct pool_seat *seat)
{
	seat->state = SEAT_GREETING;
	seat->due = false;
	seat->group.failed = false;
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
	delay = retry_jitter(seat->delay);
	time.tv_sec = delay / 1000;
	time.tv_usec = delay % 1000 * 1000;
	evtimer_add(seat->retry, &time);
	if (seat->delay < POOL_RETRY_LAST / 2)
		seat->delay *= 2;
	else
		seat->delay = POOL_RETRY_LAST;
}

/* So many seats more, or less, run what is of this kind. */
static void
seat_count(struct pool *pool, enum query_kind kind, long seats)
{
	if (kind == QUERY_GROUPING)
		pool->reading += seats;
	else if (kind == QUERY_LISTING)
		pool->listing += seats;
	else if (kind == QUERY_SEARCHING)
		pool->searching += seats;
}

/* The seat runs nothing any more. */
static long
seat_empty(struct pool_seat *seat, struct group_member members[GROUP_MAX])
{
	seat_count(seat->pool, seat->group.kind, -1);
	return (group_empty(&seat->group, members));
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
/*
 * It may be committed, with its row in the audit, and nobody gets the receipt:
 * else that row would look as if it was forged.
 */
static void
seat_is_not_heard(const struct query *query)
{
	/* Of a call the label is its id; other statements have no receipt. */
	if (strlen(query->label) == UTF8_UUID_SIZE - 1)
		log_witness("outcome not heard", log_text("id", query->label));
}

static void
seat_lose(struct pool_seat *seat)
{
	struct group_member members[GROUP_MAX];
	struct pool *pool = seat->pool;
	/* One for which statements are prepared again has failed, and is undone. */
	const bool failed = seat->state == SEAT_PREPARING;
	struct query *query;
	long count, i;

	seat_close(seat);
	count = seat_empty(seat, members);
	seat_schedule(seat);
	for (i = 0; i < count; i++) {
		query = members[i].query;
		columns_clear(members[i].result);
		if (query == NULL)
			continue;
		seat_is_not_heard(query);
		if (failed)
			retry_again(pool->line, query, pool->open > 0);
		else
			retry_in_doubt(pool->line, query, pool->open > 0);
	}
	pool_dispatch(pool);
}

static void
seat_send(struct pool_seat *seat)
{
	seat->state = SEAT_RUNNING;
	group_send(&seat->group, seat->session);
}

/* A query to run; a read takes along what waits of its kind. */
static void
seat_give(struct pool_seat *seat, struct query *query)
{
	struct pool *pool = seat->pool;
	long i;

	TAILQ_REMOVE(&pool->free, seat, entry);
	group_gather(
	    &seat->group, query, pool->line, pool->settings->group_limit);
	for (i = 0; i < seat->group.count; i++)
		seat->group.members[i].query->seat = seat;
	seat_count(pool, seat->group.kind, 1);
	seat_send(seat);
}

static void
seat_examine(struct pool_seat *seat)
{
	seat->due = false;
	seat->state = SEAT_EXAMINING;
	session_start_timer(
	    seat->session, seat->pool->settings->request_deadline);
	handshake_examine(&seat->greet);
}

static void
seat_free(struct pool_seat *seat)
{
	if (seat->due)
		return (seat_examine(seat));
	seat->state = SEAT_FREE;
	session_stop_timer(seat->session);
	/* The one used last is used next: its caches are warm. */
	TAILQ_INSERT_HEAD(&seat->pool->free, seat, entry);
}

/*
 * A statement failed, and its transaction is undone; the connection is sound.
 * In a group nobody has been answered: each member is sent alone, so that one
 * does no harm to the others.
 */
static void
seat_mend(struct pool_seat *seat)
{
	struct group_member members[GROUP_MAX];
	struct pool *pool = seat->pool;
	struct query *query = group_first(&seat->group);
	const char *sqlstate = seat->group.sqlstate;
	const struct error_sqlstate *state = retry_sqlstate(sqlstate);
	long count, i;

	metrics_sqlstate(sqlstate);
	log_warning("call failed in the database",
	    log_text("id", query != NULL ? query->label : NULL),
	    log_text("statement", query != NULL ? query->statement : NULL),
	    log_number("group", seat->group.count),
	    log_text("sqlstate", sqlstate));
	if (seat->group.count == 1 && query != NULL)
		memcpy(query->sqlstate, sqlstate, sizeof(query->sqlstate));
	if (seat->group.count == 1 && query != NULL &&
	    state->remedy == REMEDY_PREPARE && !query->prepared_again) {
		query->prepared_again = true;
		seat->state = SEAT_PREPARING;
		return (handshake_prepare_again(&seat->greet));
	}
	count = seat_empty(seat, members);
	if (state->remedy == REMEDY_RECONNECT ||
	    session_is_standby(seat->session)) {
		seat_close(seat);
		seat_schedule(seat);
	} else {
		seat_free(seat);
	}
	for (i = 0; i < count; i++) {
		query = members[i].query;
		columns_clear(members[i].result);
		if (query != NULL && count > 1) {
			query->alone = true;
			retry_again(pool->line, query, pool->open > 0);
		} else if (query != NULL) {
			retry_failed(pool->line, query, state);
		}
	}
}

static void
seat_answer(struct pool_seat *seat)
{
	struct group_member members[GROUP_MAX];
	const bool settled = session_is_settled(seat->session);
	long count = seat_empty(seat, members), i;
	struct query *query;

	/*
	 * The database goes on with those who wait while these are answered.
	 * They leave as much room in the line as a next round may need.
	 */
	seat_free(seat);
	pool_dispatch(seat->pool);
	for (i = 0; i < count; i++) {
		query = members[i].query;
		if (query != NULL) {
			query->settled = settled;
			query_finish(query, members[i].result, NULL);
		}
		columns_clear(members[i].result);
	}
}

/*
 * What PostgreSQL has answered is not what its function gives: nobody is told
 * any of it.  It is committed, and so nobody knows what a change has done.
 */
static void
seat_distrust(struct pool_seat *seat)
{
	struct group_member members[GROUP_MAX];
	long count = seat_empty(seat, members), i;
	struct query *query;

	seat_free(seat);
	for (i = 0; i < count; i++) {
		query = members[i].query;
		columns_clear(members[i].result);
		if (query == NULL)
			continue;
		seat_is_not_heard(query);
		query_finish(query, NULL,
		    &errors[query->once ? ERROR_IN_DOUBT : ERROR_INTERNAL]);
	}
}

static void
seat_clean(struct pool_seat *seat)
{
	struct pool *pool = seat->pool;

	TAILQ_REMOVE(&pool->free, seat, entry);
	seat->state = SEAT_CLEANING;
	session_start_timer(seat->session, pool->settings->request_deadline);
	session_clean(seat->session);
}

/* Sessions ----------------------------------------------------------------- */

static void
pool_connected(void *owner)
{
	struct pool_seat *seat = owner;

	handshake_start(&seat->greet);
}

static void
pool_result(void *owner, PGresult *result)
{
	struct pool_seat *seat = owner;

	if (seat->state == SEAT_RUNNING)
		return (group_result(&seat->group, result));
	if (seat->state != SEAT_CLEANING)
		handshake_result(&seat->greet, result);
	columns_clear(result);
}

/* Gives up all connections that serve, but for this one; NULL: all. */
static void
pool_give_up(struct pool *pool, const struct pool_seat *but)
{
	struct pool_seat *seat;
	long i;

	pool->giving_up = true;
	for (i = 0; i < pool->settings->pool_size; i++) {
		seat = &pool->seats[i];
		if (seat != but && seat->state != SEAT_CLOSED &&
		    seat->state != SEAT_GREETING)
			seat_lose(seat);
	}
	pool->giving_up = false;
	pool_dispatch(pool);
}

static void
pool_tell_greeted(struct pool *pool)
{
	void (*greeted)(void *owner) = pool->greeted;

	pool->greeted = NULL;
	if (greeted != NULL)
		greeted(pool->owner);
}

static void
pool_greeted(struct pool_seat *seat, enum handshake_outcome outcome)
{
	struct pool *pool = seat->pool;
	long i;

	if (outcome == HANDSHAKE_REFUSED) {
		if (seat->greet.locked_out && !pool->served) {
			pool->locked_out = true;
			event_base_loopbreak(pool->base);
		}
		seat->delay = POOL_RETRY_LAST;
		session_pass(seat->session);
		seat_close(seat);
		seat_schedule(seat);
		if (!pool->locked_out)
			pool_tell_greeted(pool);
		return;
	}
	seat->delay = POOL_RETRY_FIRST;
	pool->served = true;
	pool->open++;
	seat_free(seat);
	log_debug("connected to the database");
	if (pool_is_to_move(pool, seat->session))
		pool_give_up(pool, seat);
	if (pool->open > 1)
		return;
	log_info("the database serves");
	pool_tell_greeted(pool);
	for (i = 0; i < pool->settings->pool_size; i++) {
		if (pool->seats[i].state == SEAT_CLOSED)
			seat_connect(&pool->seats[i]);
	}
}

static void
pool_finished(void *owner)
{
	struct pool_seat *seat = owner;
	enum handshake_outcome outcome = HANDSHAKE_READY;

	seat->pool->read_only = !session_is_writable(seat->session);
	if (seat->state == SEAT_RUNNING && session_is_settled(seat->session))
		seat->pool->spoken = clock_microseconds();
	if (seat->state != SEAT_RUNNING && seat->state != SEAT_CLEANING)
		outcome = handshake_finished(&seat->greet);
	if (outcome == HANDSHAKE_GOES_ON)
		return;
	if (seat->state == SEAT_GREETING)
		pool_greeted(seat, outcome);
	else if (outcome == HANDSHAKE_REFUSED)
		seat_lose(seat);
	else if (seat->state == SEAT_CLEANING || seat->state == SEAT_EXAMINING)
		seat_free(seat);
	else if (seat->state == SEAT_PREPARING &&
	    group_first(&seat->group) != NULL)
		seat_send(seat);
	else if (seat->state == SEAT_PREPARING)
		seat_answer(seat);
	else if (seat->group.failed)
		seat_mend(seat);
	else if (seat->group.malformed)
		seat_distrust(seat);
	else
		seat_answer(seat);
	pool_dispatch(seat->pool);
}

static void
pool_lost(void *owner, const char *cause)
{
	struct pool_seat *seat = owner;

	/* It takes connections, and nothing comes of them: try another. */
	if (seat->state == SEAT_GREETING && seat->pool->open == 0)
		session_pass(seat->session);
	metrics_database_lost();
	log_warning("no connection to the database", log_text("cause", cause),
	    log_text(
		"sqlstate", seat->group.failed ? seat->group.sqlstate : NULL));
	seat_lose(seat);
}

static const struct session_events pool_events = {
	.connected = pool_connected,
	.result = pool_result,
	.finished = pool_finished,
	.lost = pool_lost,
};

/* The pool ----------------------------------------------------------------- */

static void
pool_gather(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	pool_dispatch(arg);
}

/*
 * A connection that is used again and again has what went through last in its
 * buffers; from one that is not, keys and payloads are to go.
 */
static void
pool_clean(evutil_socket_t fd, short what, void *arg)
{
	struct pool *pool = arg;
	struct pool_seat *seat;
	long i;

	(void)fd;
	(void)what;
	for (i = 0; i < pool->settings->pool_size; i++) {
		seat = &pool->seats[i];
		if (seat->state == SEAT_FREE &&
		    session_is_soiled(seat->session))
			seat_clean(seat);
	}
}

/*
 * What a session began with may be changed while it serves, by a trigger that
 * nobody finds any more when its connection is looked at.  One seat after the
 * other, so that they do not all stop at once; each in check_interval.
 */
static void
pool_examine(evutil_socket_t fd, short what, void *arg)
{
	struct pool *pool = arg;
	struct pool_seat *seat = &pool->seats[pool->turn];

	(void)fd;
	(void)what;
	pool->turn = (pool->turn + 1) % pool->settings->pool_size;
	seat->due = true;
	if (seat->state != SEAT_FREE)
		return;
	TAILQ_REMOVE(&pool->free, seat, entry);
	seat_examine(seat);
}

static struct timeval
pool_turn_time(const struct settings *settings)
{
	long turn = settings->check_interval * 1000000 / settings->pool_size;

	return ((struct timeval){ turn / 1000000, turn % 1000000 });
}

struct pool *
pool_new(struct event_base *base, const struct settings *settings,
    struct dsn *dsn, struct keyring *keyring, struct newest *newest,
    const char *instance, void (*greeted)(void *owner), void *owner)
{
	const struct timeval turn = pool_turn_time(settings);
	struct pool *pool = memory_new(sizeof(*pool));
	struct pool_seat *seat;
	long i;

	pool->base = base;
	pool->settings = settings;
	pool->dsn = dsn;
	pool->keyring = keyring;
	pool->greeted = greeted;
	pool->owner = owner;
	TAILQ_INIT(&pool->free);
	pool->line = query_line_new(base, pool_dispatch, pool);
	pool->gather = evtimer_new(base, pool_gather, pool);
	pool->clean = event_new(base, -1, EV_PERSIST, pool_clean, pool);
	event_add(pool->clean, &(struct timeval){ .tv_sec = POOL_CLEAN });
	pool->examine = event_new(base, -1, EV_PERSIST, pool_examine, pool);
	event_add(pool->examine, &turn);
	pool->seats =
	    memory_new_array((size_t)settings->pool_size, sizeof(*pool->seats));
	for (i = 0; i < settings->pool_size; i++) {
		seat = &pool->seats[i];
		seat->pool = pool;
		seat->session = session_new(base, &pool_events, seat);
		seat->greet.session = seat->session;
		seat->greet.keyring = keyring;
		seat->greet.newest = newest;
		seat->greet.begins_epoch = settings->epoch_on_loss != 0;
		seat->greet.instance = instance;
		seat->retry = evtimer_new(base, seat_retry, seat);
		group_init(&seat->group, settings->group_limit);
		seat->delay = POOL_RETRY_FIRST;
	}
	seat_connect(&pool->seats[0]);
	return (pool);
}

void
pool_close(struct pool *pool)
{
	struct group_member members[GROUP_MAX];
	struct pool_seat *seat;
	struct query *query;
	long i, j, count;

	if (pool == NULL)
		return;
	pool->closing = true;
	for (i = 0; i < pool->settings->pool_size; i++) {
		seat = &pool->seats[i];
		seat_close(seat);
		count = seat_empty(seat, members);
		for (j = 0; j < count; j++) {
			query = members[j].query;
			columns_clear(members[j].result);
			if (query == NULL)
				continue;
			seat_is_not_heard(query);
			query->in_doubt = query_is_in_doubt(query);
			query_finish(query, NULL, &errors[ERROR_UNAVAILABLE]);
		}
	}
	query_line_dismiss(pool->line, true, &errors[ERROR_UNAVAILABLE]);
}

void
pool_free(struct pool *pool)
{
	struct pool_seat *seat;
	long i;

	if (pool == NULL)
		return;
	for (i = 0; i < pool->settings->pool_size; i++) {
		seat = &pool->seats[i];
		session_free(seat->session);
		event_free(seat->retry);
		group_clear(&seat->group);
	}
	query_line_free(pool->line);
	event_free(pool->gather);
	event_free(pool->clean);
	event_free(pool->examine);
	memory_free(pool->seats);
	memory_free(pool);
}

bool
pool_is_ready(const struct pool *pool)
{
	return (pool->open > 0 && keyring_has_pepper(pool->keyring));
}

bool
pool_takes_writes(const struct pool *pool)
{
	return (!pool->read_only);
}

void
pool_note_answer(struct pool *pool, const struct query *query)
{
	if (query->settled)
		pool->answered = clock_microseconds();
}

bool
pool_has_answered(const struct pool *pool, const struct session *session)
{
	return (pool->answered >= session_since(session));
}

bool
pool_has_spoken(const struct pool *pool, const struct session *session)
{
	return (pool->spoken >= session_since(session));
}

bool
pool_is_to_move(const struct pool *pool, struct session *session)
{
	if (!session_is_settled(session) && pool_has_answered(pool, session))
		return (false);
	return (session_settle(session));
}

const char *
pool_fault(const struct pool *pool)
{
	const struct handshake *greet = &pool->seats[0].greet;

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
	pool_give_up(pool, NULL);
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

/*
 * What may be sent now, if a seat is free: some kinds use only some of them.
 * Lists and searches leave half of the seats, or one, unless it is the only
 * one: each has its share, so that lists do not wait for what takes seconds.
 */
static enum query_kind
pool_kinds(const struct pool *pool)
{
	const long size = pool->settings->pool_size;
	const long slow = pool->listing + pool->searching;
	enum query_kind kinds = QUERY_ALONE;

	if (pool->reading < pool->settings->read_connections)
		kinds |= QUERY_GROUPING;
	if (slow > 0 && slow >= size / 2)
		return (kinds);
	if (pool->listing == 0 || pool->listing < size / POOL_LISTS_SHARE)
		kinds |= QUERY_LISTING;
	if (pool->searching == 0 || pool->searching < size / POOL_LISTS_SHARE)
		kinds |= QUERY_SEARCHING;
	return (kinds);
}

/* Brings together who waits and what is free. */
static void
pool_dispatch(void *arg)
{
	struct pool *pool = arg;
	struct pool_seat *seat;
	struct query *query;

	if (pool->giving_up)
		return;
	/* With nobody left to serve them, those who wait are told at once. */
	if (pool->open == 0)
		query_line_dismiss(
		    pool->line, false, &errors[ERROR_UNAVAILABLE]);
	while ((seat = TAILQ_FIRST(&pool->free)) != NULL &&
	    (query = query_line_next(pool->line, pool_kinds(pool))) != NULL)
		seat_give(seat, query);
}

/*
 * What waits for a standby, a disk or a lock tells nothing while it waits, and
 * who asked goes on with what is not known.
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
	if (query->internal)
		pool_begin_deadline(pool, query);
	query_line_enter(pool->line, query, 0);
	if (waits)
		return (true);
	/*
	 * A lone read goes at once.  While others run, those that the loop has
	 * in its hands already go together: it calls this event after them.
	 */
	if (pool->reading > 0 && query_kind(query) == QUERY_GROUPING &&
	    query_line_length(pool->line) < pool->settings->group_limit)
		event_active(pool->gather, EV_TIMEOUT, 0);
	else
		pool_dispatch(pool);
	return (true);
}

void
pool_abandon(struct query *query)
{
	struct pool_seat *seat = query->seat;

	if (query->pool == NULL)
		return;
	query->pool = NULL;
	query_end_deadline(query);
	if (seat == NULL)
		return (query_line_leave(query));
	seat_is_not_heard(query);
	if (!group_abandon(&seat->group, query))
		/* It is left to run, for as much time again. */
		session_start_timer(
		    seat->session, seat->pool->settings->request_deadline);
}
