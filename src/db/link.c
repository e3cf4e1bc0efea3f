#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "db/columns.h"
#include "db/link.h"
#include "db/retry.h"

#define LINK_DELAY_FIRST 100 /* ms until a lost connection is made again */
#define LINK_DELAY_LAST 1000 /* ms at most, when that fails */
/* ms after a refused handshake, which costs PostgreSQL a drift check. */
#define LINK_DELAY_REFUSED 5000

struct link {
	TAILQ_ENTRY(link) entry; /* in the list of free links */
	struct links *links;
	struct session *session;
	struct handshake handshake;
	enum link_state state;
	struct event *connect; /* when it is to connect */
	long delay; /* ms before the next time that it does */
	bool due; /* to be examined, before it runs another group */
	struct group group;
};

/* States ------------------------------------------------------------------- */

/* What the session tells the link is handled by the state. */
struct link_row {
	bool open;
	unsigned int next; /* a bit for each state that may follow */
	void (*result)(struct link *link, PGresult *result);
	void (*finished)(struct link *link);
};

#define NEXT(state) (1U << (state))

static void link_result_of_group(struct link *, PGresult *);
static void link_result_of_handshake(struct link *, PGresult *);
static void link_result_of_cleaning(struct link *, PGresult *);
static void link_finished_handshake(struct link *);
static void link_finished_running(struct link *);
static void link_finished_preparing(struct link *);
static void link_finished_cleaning(struct link *);
static void link_finished_examining(struct link *);

/* A closed or free link has sent nothing: its session tells nothing. */
static const struct link_row link_rows[] = {
	[LINK_CLOSED] = { .next = NEXT(LINK_HANDSHAKE) },
	[LINK_HANDSHAKE] = { .next = NEXT(LINK_FREE) | NEXT(LINK_CLOSED),
	    .result = link_result_of_handshake,
	    .finished = link_finished_handshake },
	[LINK_FREE] = { .open = true,
	    .next = NEXT(LINK_RUNNING) | NEXT(LINK_CLEANING) |
		NEXT(LINK_EXAMINING) | NEXT(LINK_CLOSED) },
	[LINK_RUNNING] = { .open = true,
	    .next = NEXT(LINK_FREE) | NEXT(LINK_PREPARING) | NEXT(LINK_CLOSED),
	    .result = link_result_of_group,
	    .finished = link_finished_running },
	[LINK_PREPARING] = { .open = true,
	    .next = NEXT(LINK_RUNNING) | NEXT(LINK_FREE) | NEXT(LINK_CLOSED),
	    .result = link_result_of_handshake,
	    .finished = link_finished_preparing },
	[LINK_CLEANING] = { .open = true,
	    .next = NEXT(LINK_FREE) | NEXT(LINK_CLOSED),
	    .result = link_result_of_cleaning,
	    .finished = link_finished_cleaning },
	[LINK_EXAMINING] = { .open = true,
	    .next = NEXT(LINK_FREE) | NEXT(LINK_CLOSED),
	    .result = link_result_of_handshake,
	    .finished = link_finished_examining },
};

/*
 * The only place that changes the state, and what the links count of it.  A
 * transition that is not in the table would lose a query: it ends the process.
 */
static void
link_enter(struct link *link, enum link_state state)
{
	const struct link_row *from = &link_rows[link->state];
	struct links *links = link->links;

	if ((from->next & NEXT(state)) == 0)
		abort();
	if (link->state == LINK_FREE) {
		TAILQ_REMOVE(&links->free, link, entry);
		links->free_count--;
	}
	links->open += (long)link_rows[state].open - (long)from->open;
	link->state = state;
	if (state == LINK_FREE) {
		/* The one used last is used next: its caches are warm. */
		TAILQ_INSERT_HEAD(&links->free, link, entry);
		links->free_count++;
	}
}

/* Transitions -------------------------------------------------------------- */

static void
link_enter_closed(struct link *link)
{
	session_close(link->session);
	evtimer_del(link->connect);
	if (link->state != LINK_CLOSED)
		link_enter(link, LINK_CLOSED);
}

static void
link_enter_free(struct link *link)
{
	link_enter(link, LINK_FREE);
	session_stop_timer(link->session);
	if (link->due)
		link_examine(link);
}

static void
link_enter_running(struct link *link)
{
	link_enter(link, LINK_RUNNING);
	group_send(&link->group, link->session);
}

/* The link is free or closed; its owner is told what has become of the group. */
static void
link_end(struct link *link, enum group_outcome outcome)
{
	struct group_end end;

	group_end(&link->group, outcome, &end);
	if (outcome == GROUP_ANSWERED)
		end.settled = session_is_settled(link->session);
	link->links->events->ended(link->links->owner, link, &end);
}

void
link_close(struct link *link, enum group_outcome outcome)
{
	/* A group for which statements are prepared again has been undone. */
	if (link->state == LINK_PREPARING && outcome == GROUP_LOST)
		outcome = GROUP_UNDONE;
	link_enter_closed(link);
	link_end(link, outcome);
}

void
link_connect(struct link *link)
{
	link_enter(link, LINK_HANDSHAKE);
	link->due = false;
	evtimer_del(link->connect);
	session_connect(link->session, link->links->dsn,
	    link->links->settings->connect_timeout);
}

static void
link_connect_now(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	link_connect(arg);
}

void
link_connect_later(struct link *link)
{
	struct timeval time;

	if (link->state != LINK_CLOSED || evtimer_pending(link->connect, NULL))
		return;
	time = clock_timeval(retry_jitter(link->delay));
	evtimer_add(link->connect, &time);
	if (link->delay < LINK_DELAY_LAST / 2)
		link->delay *= 2;
	else
		link->delay = LINK_DELAY_LAST;
}

void
link_run(struct link *link, struct query *query, struct queue *queue)
{
	struct group *group = &link->group;
	long i;

	group_gather(group, query, queue, link->links->settings->group_limit);
	for (i = 0; i < group->count; i++)
		group->members[i].query->link = link;
	link_enter_running(link);
}

void
link_abandon(struct link *link, const struct query *query)
{
	/* With nobody who waits, it is left to run for as much time again. */
	if (!group_abandon(&link->group, query))
		session_start_timer(
		    link->session, link->links->settings->request_deadline);
}

void
link_clean(struct link *link)
{
	if (link->state != LINK_FREE || !session_is_soiled(link->session))
		return;
	link_enter(link, LINK_CLEANING);
	session_start_timer(
	    link->session, link->links->settings->request_deadline);
	session_clean(link->session);
}

/* A handshake examines as much. */
void
link_examine(struct link *link)
{
	if (!link_is_open(link) || link->state == LINK_EXAMINING)
		return;
	link->due = link->state != LINK_FREE;
	if (link->due)
		return;
	link_enter(link, LINK_EXAMINING);
	session_start_timer(
	    link->session, link->links->settings->request_deadline);
	handshake_examine(&link->handshake);
}

/* Results ------------------------------------------------------------------ */

static void
link_result_of_group(struct link *link, PGresult *result)
{
	group_result(&link->group, result);
}

static void
link_result_of_handshake(struct link *link, PGresult *result)
{
	handshake_result(&link->handshake, result);
	columns_clear(result);
}

static void
link_result_of_cleaning(struct link *link, PGresult *result)
{
	(void)link;
	columns_clear(result);
}

/* Ends --------------------------------------------------------------------- */

static void
link_finished_handshake(struct link *link)
{
	const struct link_events *events = link->links->events;
	void *owner = link->links->owner;

	switch (handshake_finished(&link->handshake)) {
	case HANDSHAKE_GOES_ON:
		return;
	case HANDSHAKE_READY:
		link->delay = LINK_DELAY_FIRST;
		link_enter_free(link);
		log_debug("connected to the database");
		return (events->opened(owner, link));
	case HANDSHAKE_REFUSED:
		link->delay = LINK_DELAY_REFUSED;
		session_pass(link->session);
		link_enter_closed(link);
		return (events->refused(owner, link));
	}
}

/* PostgreSQL has undone the transaction; the connection is sound. */
static void
link_failed(struct link *link)
{
	struct group *group = &link->group;
	struct query *query = group_first(group);
	const enum error_remedy remedy =
	    retry_sqlstate(group->sqlstate)->remedy;

	metrics_sqlstate(group->sqlstate);
	log_warning("call failed in the database",
	    log_text("id", query != NULL ? query->label : NULL),
	    log_text("statement", query != NULL ? query->statement : NULL),
	    log_number("group", group->count),
	    log_text("sqlstate", group->sqlstate));
	if (group->count == 1 && query != NULL)
		memcpy(
		    query->sqlstate, group->sqlstate, sizeof(query->sqlstate));
	if (group->count == 1 && query != NULL && remedy == REMEDY_PREPARE &&
	    !query->prepared_again) {
		query->prepared_again = true;
		link_enter(link, LINK_PREPARING);
		return (handshake_prepare_again(&link->handshake));
	}
	if (remedy == REMEDY_RECONNECT || session_is_standby(link->session))
		link_enter_closed(link);
	else
		link_enter_free(link);
	link_end(link, GROUP_FAILED);
}

static void
link_finished_running(struct link *link)
{
	const enum group_outcome outcome =
	    link->group.malformed ? GROUP_MALFORMED : GROUP_ANSWERED;

	failover_hear(link->links->failover, link->session);
	if (link->group.failed)
		return (link_failed(link));
	link_enter_free(link);
	link_end(link, outcome);
}

static void
link_finished_preparing(struct link *link)
{
	switch (handshake_finished(&link->handshake)) {
	case HANDSHAKE_GOES_ON:
		return;
	case HANDSHAKE_REFUSED:
		return (link_close(link, GROUP_LOST));
	case HANDSHAKE_READY:
		if (group_first(&link->group) != NULL)
			return (link_enter_running(link));
		/* Its query was abandoned. */
		link_enter_free(link);
		return (link_end(link, GROUP_ANSWERED));
	}
}

static void
link_finished_cleaning(struct link *link)
{
	link_enter_free(link);
	link_end(link, GROUP_ANSWERED);
}

static void
link_finished_examining(struct link *link)
{
	switch (handshake_finished(&link->handshake)) {
	case HANDSHAKE_GOES_ON:
		return;
	case HANDSHAKE_REFUSED:
		return (link_close(link, GROUP_LOST));
	case HANDSHAKE_READY:
		link_enter_free(link);
		return (link_end(link, GROUP_ANSWERED));
	}
}

/* The session -------------------------------------------------------------- */

static void
link_connected(void *owner)
{
	struct link *link = owner;

	handshake_start(&link->handshake);
}

static void
link_result(void *owner, PGresult *result)
{
	struct link *link = owner;

	link_rows[link->state].result(link, result);
}

static void
link_finished(void *owner)
{
	struct link *link = owner;

	link->links->failover->read_only = !session_is_writable(link->session);
	link_rows[link->state].finished(link);
}

static void
link_lost(void *owner, const char *cause)
{
	struct link *link = owner;

	/* This host takes connections, and none of them serves. */
	if (link->state == LINK_HANDSHAKE && link->links->open == 0)
		session_pass(link->session);
	metrics_database_lost();
	log_warning("no connection to the database", log_text("cause", cause),
	    log_text(
		"sqlstate", link->group.failed ? link->group.sqlstate : NULL));
	link_close(link, GROUP_LOST);
}

static const struct session_events link_session_events = {
	.connected = link_connected,
	.result = link_result,
	.finished = link_finished,
	.lost = link_lost,
};

/* -------------------------------------------------------------------------- */

struct link *
link_new(struct links *links)
{
	struct link *link = memory_new(sizeof(*link));

	link->links = links;
	link->session = session_new(links->base, &link_session_events, link);
	link->handshake = links->handshake;
	link->handshake.session = link->session;
	link->connect = evtimer_new(links->base, link_connect_now, link);
	link->delay = LINK_DELAY_FIRST;
	group_init(&link->group, links->settings->group_limit);
	return (link);
}

void
link_free(struct link *link)
{
	session_free(link->session);
	event_free(link->connect);
	group_clear(&link->group);
	memory_free(link);
}

enum link_state
link_state(const struct link *link)
{
	return (link->state);
}

bool
link_is_open(const struct link *link)
{
	return (link_rows[link->state].open);
}

struct session *
link_session(const struct link *link)
{
	return (link->session);
}

const char *
link_fault(const struct link *link)
{
	return (link->handshake.refused ? link->handshake.fault : NULL);
}

bool
link_is_locked_out(const struct link *link)
{
	return (link->handshake.locked_out);
}
