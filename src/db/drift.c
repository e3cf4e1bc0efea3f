#include <event2/event.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/settings.h"
#include "db/columns.h"
#include "db/drift.h"
#include "db/failover.h"
#include "db/handshake.h"
#include "db/newest.h"
#include "db/pool.h"
#include "db/session.h"

#define DRIFT_SILENCES 2 /* in a row: one may be a server that is busy */

/*
 * A connection of its own, which is closed after its handshake.  A session gets
 * the settings of its role when it begins, so sessions that serve would not see
 * that one was changed.
 */
struct drift {
	const struct drift_context *context;
	struct event *timer;
	struct session *session;
	struct handshake handshake;
	bool looking;
	bool connected; /* in this look */
	bool again; /* asked for while it was looking */
	bool blind;
	int silences;
};

static void
drift_done(struct drift *drift)
{
	struct timeval time = { drift->context->settings->check_interval, 0 };

	session_close(drift->session);
	drift->looking = false;
	if (drift->again)
		time.tv_sec = 0;
	evtimer_add(drift->timer, &time);
}

static void
drift_connected(void *owner)
{
	struct drift *drift = owner;

	drift->connected = true;
	handshake_start(&drift->handshake);
}

static void
drift_result(void *owner, PGresult *result)
{
	struct drift *drift = owner;

	handshake_result(&drift->handshake, result);
	columns_clear(result);
}

/* A handshake that fails for other reasons says nothing about the pool. */
static void
drift_finished(void *owner)
{
	struct drift *drift = owner;
	enum handshake_outcome outcome = handshake_finished(&drift->handshake);

	if (outcome == HANDSHAKE_GOES_ON)
		return;
	drift->blind = false;
	drift->silences = 0;
	if (outcome == HANDSHAKE_REFUSED && drift->handshake.unfit)
		pool_disconnect(drift->context->pool);
	if (outcome == HANDSHAKE_READY &&
	    failover_is_due(
		pool_failover(drift->context->pool), drift->session))
		pool_disconnect(drift->context->pool);
	/* It has been shown root keys that were not taken: those there are. */
	if (outcome == HANDSHAKE_REFUSED && drift->handshake.offer != 0)
		drift->again = true;
	drift_done(drift);
}

/*
 * Whether the server is silent to the pool, too.  It is not if it has answered a
 * call meanwhile.  A server that cannot commit still answers queries of the
 * daemon itself, so these count only during a deploy, for which a handshake
 * waits.
 */
static bool
drift_is_silent(const struct drift *drift, const char *cause)
{
	const struct failover *failover = pool_failover(drift->context->pool);
	const bool deploys =
	    drift->connected && drift->handshake.step == HANDSHAKE_DEPLOY;

	return (strcmp(cause, SESSION_SILENT) == 0 &&
	    !failover_has_answered(failover, drift->session) &&
	    !(deploys && failover_was_heard(failover, drift->session)));
}

/*
 * A server that refuses a new connection may serve the connections it has.  A
 * silent server is asked again at once, but only once, because each time may
 * leave it with a session that hangs.
 */
static void
drift_lost(void *owner, const char *cause)
{
	struct drift *drift = owner;
	const bool silent = drift_is_silent(drift, cause);

	log_warning("unable to check the database", log_text("cause", cause));
	drift->blind = true;
	drift->silences = silent ? drift->silences + 1 : 0;
	drift->again = drift->again || drift->silences == 1;
	drift_done(drift);
}

static const struct session_events drift_events = {
	.connected = drift_connected,
	.result = drift_result,
	.finished = drift_finished,
	.lost = drift_lost,
};

/* While nothing serves, the handshakes of the pool find what is wrong. */
static void
drift_tick(evutil_socket_t fd, short what, void *arg)
{
	struct drift *drift = arg;
	const struct drift_context *context = drift->context;

	(void)fd;
	(void)what;
	drift->again = false;
	if (*context->stopping || !pool_is_ready(context->pool)) {
		drift->blind = false;
		drift->silences = 0;
		return (drift_done(drift));
	}
	drift->looking = true;
	drift->connected = false;
	session_connect(
	    drift->session, context->dsn, context->settings->connect_timeout);
}

void
drift_now(struct drift *drift)
{
	drift->again = true;
	if (!drift->looking)
		event_active(drift->timer, EV_TIMEOUT, 0);
}

bool
drift_is_blind(const struct drift *drift)
{
	return (drift->blind);
}

const char *
drift_silence(const struct drift *drift)
{
	if (drift->silences < DRIFT_SILENCES)
		return (NULL);
	return (drift->connected
		? "check: the database takes a connection and does not commit"
		: "check: the database does not answer");
}

struct drift *
drift_new(const struct drift_context *context)
{
	struct drift *drift = memory_new(sizeof(*drift));

	drift->context = context;
	drift->timer = evtimer_new(context->base, drift_tick, drift);
	drift->session = session_new(context->base, &drift_events, drift);
	drift->handshake.session = drift->session;
	drift->handshake.keyring = context->keyring;
	drift->handshake.newest = context->newest;
	drift->handshake.begins_epoch = context->settings->epoch_on_loss != 0;
	drift->handshake.instance = context->instance;
	drift_done(drift);
	return (drift);
}

void
drift_free(struct drift *drift)
{
	if (drift == NULL)
		return;
	session_free(drift->session);
	event_free(drift->timer);
	memory_free(drift);
}
