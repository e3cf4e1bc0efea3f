/*
 * In the place of session.c: sessions that a test scripts.  It says when one is
 * connected, what each statement gives, and when the connection is lost.  A
 * test that includes this links no session.c.
 */
#ifndef COFFER_SESSION_FAKE_H
#define COFFER_SESSION_FAKE_H

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "db/handshake.h"
#include "db/session.h"
#include "db/statements.h"
#include "tests/src/result.h"

#define FAKE_SESSIONS 8
#define FAKE_ROOT_ID "4f66d70271577fed"
#define FAKE_ROOT_KEY \
	FAKE_ROOT_ID " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

struct session {
	const struct session_events *events;
	void *owner;
	struct dsn *dsn;
	size_t host;
	int64_t since;
	bool connecting; /* or connected */
	bool running;
	bool soiled;
	bool standby;
	long timer; /* milliseconds; 0: it does not run */
	long connects; /* how often it has begun to connect */
	long statements; /* that were sent since the last Sync */
	char sent[256]; /* the statement that was sent last, or its name */
	unsigned char wrapped[256]; /* the parameter 1 of that */
	size_t wrapped_size;
	char root_ids[128]; /* the parameter 2 of daemon.hello */
};

/* All sessions, in the order in which they were made. */
static struct session *fakes[FAKE_SESSIONS];
static size_t fakes_count;

/* The SQLSTATE of results that are errors. */
static const char *fake_sqlstate = "";

struct session *
session_new(
    struct event_base *base, const struct session_events *events, void *owner)
{
	struct session *session = memory_new(sizeof(*session));

	(void)base;
	assert_in_range(fakes_count, 0, FAKE_SESSIONS - 1);
	session->events = events;
	session->owner = owner;
	fakes[fakes_count++] = session;
	return (session);
}

void
session_close(struct session *session)
{
	session->connecting = session->running = session->soiled = false;
	session->timer = session->statements = 0;
}

void
session_free(struct session *session)
{
	memory_free(session);
}

void
session_connect(struct session *session, struct dsn *dsn, long milliseconds)
{
	assert_false(session->connecting);
	session->connecting = true;
	session->dsn = dsn;
	session->host = dsn->first;
	session->since = clock_microseconds();
	session->timer = milliseconds;
	session->connects++;
}

int64_t
session_since(const struct session *session)
{
	return (session->since);
}

bool
session_is_settled(const struct session *session)
{
	return (session->host == session->dsn->serving);
}

bool
session_settle(struct session *session)
{
	return (dsn_settle(session->dsn, session->host));
}

void
session_pass(struct session *session)
{
	dsn_pass(session->dsn, session->host);
}

void
session_start_timer(struct session *session, long milliseconds)
{
	session->timer = milliseconds;
}

void
session_stop_timer(struct session *session)
{
	session->timer = 0;
}

bool
session_is_standby(const struct session *session)
{
	return (session->standby);
}

bool
session_is_writable(const struct session *session)
{
	return (!session->standby);
}

static void
fake_send(struct session *session, const char *sent,
    const struct session_parameter *parameters, size_t count)
{
	assert_true(session->connecting);
	session->statements++;
	snprintf(session->sent, sizeof(session->sent), "%s", sent);
	if (count == 4 && strstr(sent, "daemon.hello") != NULL)
		snprintf(session->root_ids, sizeof(session->root_ids), "%s",
		    (const char *)parameters[2].value);
	if (count < 2 || !parameters[1].binary ||
	    parameters[1].size > sizeof(session->wrapped))
		return;
	session->wrapped_size = parameters[1].size;
	memcpy(session->wrapped, parameters[1].value, parameters[1].size);
}

void
session_query(struct session *session, const char *sql, const Oid *types,
    const struct session_parameter *parameters, size_t count)
{
	(void)types;
	fake_send(session, sql, parameters, count);
}

void
session_execute(struct session *session, const char *name,
    const struct session_parameter *parameters, size_t count)
{
	fake_send(session, name, parameters, count);
}

void
session_prepare(struct session *session, const char *name, const char *sql,
    const Oid *types, size_t count)
{
	(void)sql;
	(void)types;
	(void)count;
	fake_send(session, name, NULL, 0);
}

void
session_flush_results(struct session *session)
{
	(void)session;
}

void
session_sync(struct session *session)
{
	assert_false(session->running);
	session->running = true;
}

bool
session_is_soiled(const struct session *session)
{
	return (session->soiled);
}

void
session_clean(struct session *session)
{
	session->soiled = false;
	fake_send(session, "clean", NULL, 0);
	session_sync(session);
}

bool
session_sqlstate(const PGresult *result, char sqlstate[SESSION_SQLSTATE_SIZE])
{
	const ExecStatusType status = PQresultStatus(result);

	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return (false);
	snprintf(sqlstate, SESSION_SQLSTATE_SIZE, "%s",
	    status == PGRES_PIPELINE_ABORTED ? "" : fake_sqlstate);
	return (true);
}

/* The script --------------------------------------------------------------- */

/* The session takes the result. */
static inline void
fake_result(struct session *session, PGresult *result)
{
	assert_true(session->running);
	session->events->result(session->owner, result);
}

/* The statement fails, and those behind it in the pipeline are aborted. */
static inline void
fake_error(struct session *session, const char *sqlstate)
{
	long i;

	fake_sqlstate = sqlstate;
	fake_result(session, PQmakeEmptyPGresult(NULL, PGRES_FATAL_ERROR));
	for (i = 1; i < session->statements; i++)
		fake_result(
		    session, PQmakeEmptyPGresult(NULL, PGRES_PIPELINE_ABORTED));
}

static inline void
fake_finish(struct session *session)
{
	assert_true(session->running);
	session->running = false;
	session->statements = 0;
	session->events->finished(session->owner);
}

static inline void
fake_lose(struct session *session, const char *cause)
{
	assert_true(session->connecting);
	session_close(session);
	session->events->lost(session->owner, cause);
}

/* All statements succeed, and none gives rows. */
static inline void
fake_done(struct session *session)
{
	long i;

	for (i = session->statements; i > 0; i--)
		fake_result(
		    session, PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK));
	fake_finish(session);
}

static inline void
fake_deploy(struct session *session)
{
	PGresult *result = result_new(&handshake_deploy_columns);

	result_set(result, 0, 0, "", 0);
	fake_result(session, result);
}

/* What daemon.hello gives: faults is an array in JSON, lockout may be NULL. */
static inline void
fake_hello(struct session *session, const char *faults, const char *lockout)
{
	PGresult *result = result_new(&handshake_hello_columns);

	result_set(result, 0, 0, "1000", 4);
	result_set(result, 0, 1, faults, strlen(faults));
	PQsetvalue(result, 0, 2, NULL, -1);
	PQsetvalue(result, 0, 3, NULL, -1);
	result_set(result, 0, 4, FAKE_ROOT_ID, strlen(FAKE_ROOT_ID));
	if (lockout != NULL)
		result_set(result, 0, 5, lockout, strlen(lockout));
	else
		PQsetvalue(result, 0, 5, NULL, -1);
	result_set(result, 0, 6, "\0\0\0\0\0\0\0\1", 8);
	result_set(result, 0, 7, "\0", 1);
	fake_result(session, result);
}

/* The database keeps the pepper that it was offered. */
static inline void
fake_pepper(struct session *session)
{
	PGresult *result = result_new(&handshake_pepper_columns);

	result_set(result, 0, 0, FAKE_ROOT_ID, strlen(FAKE_ROOT_ID));
	result_set(result, 0, 1, session->wrapped, session->wrapped_size);
	fake_result(session, result);
	fake_finish(session);
}

/* It connects, and the handshake finds nothing. */
static inline void
fake_open(struct session *session)
{
	session->events->connected(session->owner);
	fake_deploy(session);
	fake_hello(session, "[]", NULL);
	fake_finish(session);
	if (strstr(session->sent, "pepper_keep") != NULL)
		fake_pepper(session);
	fake_done(session);
}

/* It connects, and the handshake refuses what it finds. */
static inline void
fake_refuse(struct session *session, const char *faults, const char *lockout)
{
	session->events->connected(session->owner);
	fake_deploy(session);
	fake_hello(session, faults, lockout);
	fake_finish(session);
}

/* What a call gives: a refusal, which has no receipt. */
static inline PGresult *
fake_row(void)
{
	PGresult *result = result_new(&statement_api.columns);

	result_set(result, 0, 0, "\1\221", 2);
	result_set(result, 0, 1, "{}", 2);
	PQsetvalue(result, 0, 2, NULL, -1);
	PQsetvalue(result, 0, 3, NULL, -1);
	return (result);
}

/* All statements of a group are answered, and it is committed. */
static inline void
fake_answer(struct session *session)
{
	long i;

	for (i = session->statements; i > 0; i--)
		fake_result(session, fake_row());
	fake_finish(session);
}

/* What a link needs of the daemon, with a root key; two hosts. */
static inline void
fake_settings(struct settings *settings)
{
	static char root_keys[] = FAKE_ROOT_KEY;

	memset(settings, 0, sizeof(*settings));
	settings->root_keys = root_keys;
	settings->insecure_root_key_env = true;
	settings->pool_size = 4;
	settings->read_connections = 2;
	settings->group_limit = 3;
	settings->queue_limit = 8;
	settings->connect_timeout = 5000;
	settings->request_deadline = 7000;
	settings->check_interval = 100; /* seconds */
	fakes_count = 0;
}

static inline struct keyring *
fake_keyring(const struct settings *settings)
{
	char cause[256] = "";
	struct keyring *keyring = keyring_new(settings, cause, sizeof(cause));

	assert_string_equal(cause, "");
	return (keyring);
}

/*
 * The timers that would expire in this range of milliseconds.  libevent reads
 * a coarse clock: bounds are to be wide.
 */
struct fake_timers {
	long from, to;
};

static inline int
fake_expire(const struct event_base *base, const struct event *event, void *arg)
{
	const struct fake_timers *timers = arg;
	struct timeval now, due;
	long left;

	if (!event_pending(event, EV_TIMEOUT, &due))
		return (0);
	event_base_gettimeofday_cached(
	    (struct event_base *)(uintptr_t)base, &now);
	left = (due.tv_sec - now.tv_sec) * 1000 +
	    (due.tv_usec - now.tv_usec) / 1000;
	if (left >= timers->from && left < timers->to)
		event_active((struct event *)(uintptr_t)event, EV_TIMEOUT, 0);
	return (0);
}

static inline void
fake_pass(struct event_base *base, long from, long to)
{
	struct fake_timers timers = { from, to };

	event_base_foreach_event(base, fake_expire, &timers);
	event_base_loop(base, EVLOOP_NONBLOCK);
}

#endif
