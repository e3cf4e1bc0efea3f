#include <event2/event.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "http/connection.h"
#include "http/connections.h"
#include "http/room.h"

#define CONNECTIONS_SWEEP_MS 200

/* As soon as evhttp has accepted them, and before a byte is read. */
static void
connections_arrive(evutil_socket_t fd, short what, void *arg)
{
	struct connections *all = arg;
	struct phase_member *member;

	(void)fd;
	(void)what;
	while ((member = phase_oldest(&all->phases, PHASE_NEW)) != NULL)
		connection_arrive(connection_of(member));
}

/* Not while evhttp begins to read: it does not write then. */
static void
connections_proceed(evutil_socket_t fd, short what, void *arg)
{
	struct connections *all = arg;
	struct phase_member *member;

	(void)fd;
	(void)what;
	while ((member = phase_oldest(&all->phases, PHASE_EXPECTS)) != NULL)
		connection_proceed(connection_of(member));
}

static void
connections_leave(evutil_socket_t fd, short what, void *arg)
{
	struct connections *all = arg;
	struct phase_member *member;

	(void)fd;
	(void)what;
	while ((member = phase_oldest(&all->phases, PHASE_LEFT)) != NULL)
		connection_linger(connection_of(member));
}

static void
connections_shed(struct phase_member *member)
{
	metrics_answer_shed();
	connection_cut(member);
}

static void
connections_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct connections *all = arg;
	struct phase_member *member, *next;
	const int64_t now = clock_milliseconds();
	enum phase phase;

	(void)fd;
	(void)what;
	for (phase = 0; phase < PHASES; phase++) {
		for (member = phase_oldest(&all->phases, phase); member != NULL;
		     member = next) {
			next = TAILQ_NEXT(member, entry);
			if (connection_is_left(connection_of(member)))
				connection_linger(connection_of(member));
			else if (phase_is_overdue(&all->phases, member, now))
				connection_overdue(connection_of(member));
		}
	}
	if (connections_are_full(all))
		connections_make_room(all);
	if (usage_is_over(&all->usage))
		room_shed(&all->phases, now, connections_shed);
}

void
connections_make_room(struct connections *all)
{
	room_make(&all->phases, clock_milliseconds(), connection_cut);
}

struct connections *
connections_new(struct event_base *base, const struct settings *settings,
    long most, void (*changed)(void *owner), void *owner)
{
	const struct timeval interval = { 0, CONNECTIONS_SWEEP_MS * 1000 };
	struct connections *all = memory_new(sizeof(*all));

	all->base = base;
	all->settings = settings;
	all->limits.head = (size_t)settings->max_headers;
	all->limits.lines = HTTP_HEAD_LINES_MAX;
	all->limits.body = (size_t)settings->max_body;
	all->peers = peers_new();
	phases_init(&all->phases, settings);
	all->usage.most = (size_t)settings->request_memory;
	all->most = (size_t)most;
	all->changed = changed;
	all->owner = owner;
	all->arrive = event_new(base, -1, 0, connections_arrive, all);
	all->proceed = event_new(base, -1, 0, connections_proceed, all);
	all->leave = event_new(base, -1, 0, connections_leave, all);
	all->sweep = event_new(base, -1, EV_PERSIST, connections_sweep, all);
	event_add(all->sweep, &interval);
	return (all);
}

void
connections_free(struct connections *all)
{
	struct phase_member *member;
	enum phase phase;

	if (all == NULL)
		return;
	for (phase = 0; phase < PHASES; phase++) {
		while ((member = phase_oldest(&all->phases, phase)) != NULL)
			connection_free(connection_of(member));
	}
	event_free(all->arrive);
	event_free(all->proceed);
	event_free(all->leave);
	event_free(all->sweep);
	peers_free(all->peers);
	fd_table_free(&all->descriptors);
	memory_free(all);
}

void
connections_add(struct connections *all, struct bufferevent *socket)
{
	connection_new(all, socket);
	event_active(all->arrive, EV_TIMEOUT, 0);
}

struct connection *
connections_begin(struct connections *all, struct evhttp_request *http)
{
	struct bufferevent *socket = evhttp_connection_get_bufferevent(
	    evhttp_request_get_connection(http));
	struct connection *connection =
	    fd_table_get(&all->descriptors, bufferevent_getfd(socket));

	connection_begin(connection, http);
	return (connection);
}

bool
connections_are_full(const struct connections *all)
{
	return (all->count >= all->most);
}

size_t
connections_count(const struct connections *all)
{
	return (all->count);
}

size_t
connections_busy(const struct connections *all)
{
	return (all->busy);
}

size_t
connections_memory(const struct connections *all)
{
	return (usage_total(&all->usage));
}
