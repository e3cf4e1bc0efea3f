#include <event2/event.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "db/columns.h"
#include "db/drift.h"
#include "db/failover.h"
#include "db/handshake.h"
#include "db/pool.h"
#include "db/session.h"
#include "service.h"

#define CHECK_SILENCES 2 /* in a row: one may be a server that is busy */

/*
 * A connection of its own, greeted as any new one and then closed: settings of
 * a role are given to a session when it begins, so that those which serve
 * would never see that one was taken back.
 */
struct drift {
	struct service *service;
	struct event *timer;
	struct session *session;
	struct handshake greet;
	bool looking;
	bool connected; /* in this look */
	bool again; /* asked for while it was looking */
	bool blind;
	int silences;
};

static void
check_done(struct drift *check)
{
	struct timeval time = { check->service->settings.check_interval, 0 };

	session_close(check->session);
	check->looking = false;
	if (check->again)
		time.tv_sec = 0;
	evtimer_add(check->timer, &time);
}

static void
check_connected(void *owner)
{
	struct drift *check = owner;

	check->connected = true;
	handshake_start(&check->greet);
}

static void
check_result(void *owner, PGresult *result)
{
	struct drift *check = owner;

	handshake_result(&check->greet, result);
	columns_clear(result);
}

/* A greeting that fails for other reasons says nothing about what serves. */
static void
check_finished(void *owner)
{
	struct drift *check = owner;
	enum handshake_outcome outcome = handshake_finished(&check->greet);

	if (outcome == HANDSHAKE_GOES_ON)
		return;
	check->blind = false;
	check->silences = 0;
	if (outcome == HANDSHAKE_REFUSED && check->greet.unfit)
		pool_disconnect(check->service->pool);
	if (outcome == HANDSHAKE_READY &&
	    failover_is_due(
		pool_failover(check->service->pool), check->session))
		pool_disconnect(check->service->pool);
	/* It has been shown root keys that were not taken: those there are. */
	if (outcome == HANDSHAKE_REFUSED && check->greet.offer != 0)
		check->again = true;
	check_done(check);
}

/*
 * Whether the server is as silent to those whom it serves.  It is not if it has
 * answered a call meanwhile.  What the daemon asks of its own accord is answered
 * by a server that cannot commit, too; it counts in a deploy alone, for which a
 * greeting waits.
 */
static bool
check_is_silent(const struct drift *check, const char *cause)
{
	const struct failover *failover = pool_failover(check->service->pool);
	const bool deploys =
	    check->connected && check->greet.step == HANDSHAKE_DEPLOY;

	return (strcmp(cause, SESSION_SILENT) == 0 &&
	    !failover_has_answered(failover, check->session) &&
	    !(deploys && failover_was_heard(failover, check->session)));
}

/*
 * A server that refuses a new connection may serve those it has: it may have
 * no more, or wait for them to end.  One that is silent is asked again at once,
 * but once: each time may leave it with a session that hangs.
 */
static void
check_lost(void *owner, const char *cause)
{
	struct drift *check = owner;
	const bool silent = check_is_silent(check, cause);

	log_warning("unable to check the database", log_text("cause", cause));
	check->blind = true;
	check->silences = silent ? check->silences + 1 : 0;
	check->again = check->again || check->silences == 1;
	check_done(check);
}

static const struct session_events check_events = {
	.connected = check_connected,
	.result = check_result,
	.finished = check_finished,
	.lost = check_lost,
};

/* While nothing serves, the pool greets, and says what it is told. */
static void
check_tick(evutil_socket_t fd, short what, void *arg)
{
	struct drift *check = arg;
	struct service *service = check->service;

	(void)fd;
	(void)what;
	check->again = false;
	if (service->draining || !pool_is_ready(service->pool)) {
		check->blind = false;
		check->silences = 0;
		return (check_done(check));
	}
	check->looking = true;
	check->connected = false;
	session_connect(
	    check->session, service->dsn, service->settings.connect_timeout);
}

void
drift_now(struct drift *check)
{
	check->again = true;
	if (!check->looking)
		event_active(check->timer, EV_TIMEOUT, 0);
}

bool
drift_is_blind(const struct drift *check)
{
	return (check->blind);
}

const char *
drift_silence(const struct drift *check)
{
	if (check->silences < CHECK_SILENCES)
		return (NULL);
	return (check->connected
		? "check: the database takes a connection and does not commit"
		: "check: the database does not answer");
}

struct drift *
drift_new(struct service *service)
{
	struct drift *check = memory_new(sizeof(*check));

	check->service = service;
	check->timer = evtimer_new(service->base, check_tick, check);
	check->session = session_new(service->base, &check_events, check);
	check->greet.session = check->session;
	check->greet.keyring = service->keyring;
	check->greet.newest = &service->newest;
	check->greet.begins_epoch = service->settings.epoch_on_loss != 0;
	check->greet.instance = service->instance;
	check_done(check);
	return (check);
}

void
drift_free(struct drift *check)
{
	if (check == NULL)
		return;
	session_free(check->session);
	event_free(check->timer);
	memory_free(check);
}
