#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "db/session.h"

/* What goes out and comes back as it is. */
#define SESSION_ECHO_SQL "SELECT $1::bytea"
/* More than what is sent and received around the values of a statement. */
#define SESSION_OVERHEAD 1024
/*
 * Bytes that may come in for each statement, and without one: far more than
 * any of them gives.  libpq keeps in memory what it is sent.
 */
#define SESSION_RECEIVED_MAX (64L * 1024 * 1024)
/* Where PostgreSQL waits for a standby. */
#define SESSION_STANDBY_WAIT "SyncRepWaitForLSN"

struct session {
	struct event_base *base;
	const struct session_events *events;
	void *owner;
	PGconn *connection;
	struct dsn *dsn;
	long host_timeout; /* milliseconds for each host */
	size_t host; /* of dsn */
	size_t untried; /* hosts that are left after this one */
	int64_t since; /* it connects, or is connected */
	bool connecting;
	char cause[SESSION_CAUSE_SIZE]; /* why it is not the first host */
	struct event *input;
	struct event *output;
	struct event *timer;
	bool running;
	long statements; /* that run */
	long results; /* of those that have one */
	long received; /* bytes since nothing ran */
	bool unsafe; /* the server has not waited for its standby */
	/* Of what runs: its bytes, both ways, and whether some are secret. */
	size_t bytes;
	bool secret;
	size_t soiled; /* as far as libpq's buffers may hold something secret */
	bool cleaning;
};

static void session_try(struct session *);
static void session_poll(evutil_socket_t, short, void *);

struct session *
session_new(
    struct event_base *base, const struct session_events *events, void *owner)
{
	struct session *session = memory_new(sizeof(*session));

	session->base = base;
	session->events = events;
	session->owner = owner;
	return (session);
}

static void
session_forget_event(struct event **event)
{
	if (*event != NULL)
		event_free(*event);
	*event = NULL;
}

static void
session_forget_connection(struct session *session)
{
	session_forget_event(&session->input);
	session_forget_event(&session->output);
	session_forget_event(&session->timer);
	if (session->connection != NULL)
		PQfinish(session->connection);
	session->connection = NULL;
	session->running = false;
	session->unsafe = false;
	session->statements = session->results = session->received = 0;
	session->bytes = session->soiled = 0;
	session->secret = session->cleaning = false;
}

void
session_close(struct session *session)
{
	session_forget_connection(session);
	session->connecting = false;
}

void
session_free(struct session *session)
{
	if (session == NULL)
		return;
	session_close(session);
	memory_free(session);
}

/* This host is no good: to the next, if there is one. */
static void
session_fail(struct session *session, const char *cause)
{
	const struct dsn *dsn = session->dsn;

	session_forget_connection(session);
	if (session->connecting && dsn->hosts_count > 1) {
		log_warning("a host of the database does not serve",
		    log_text("host", dsn->hosts[session->host].name),
		    log_text("cause", cause));
		if (session->untried == dsn->hosts_count - 1)
			snprintf(session->cause, sizeof(session->cause), "%s",
			    cause);
		if (session->untried > 0) {
			session->untried--;
			session->host = (session->host + 1) % dsn->hosts_count;
			return (session_try(session));
		}
		cause = session->cause;
	}
	session->connecting = false;
	session->events->lost(session->owner, cause);
}

void
session_cause(const PGconn *connection, char *cause, size_t size)
{
	snprintf(cause, size, "%s", PQerrorMessage(connection));
	cause[strcspn(cause, "\n")] = '\0';
}

static void
session_fail_broken(struct session *session)
{
	char cause[SESSION_CAUSE_SIZE];

	session_cause(session->connection, cause, sizeof(cause));
	session_fail(session, cause);
}

static void
session_overdue(evutil_socket_t fd, short what, void *arg)
{
	struct session *session = arg;

	(void)fd;
	(void)what;
	if (PQstatus(session->connection) == CONNECTION_BAD &&
	    session->input == NULL)
		session_fail_broken(session);
	else
		session_fail(session, SESSION_SILENT);
}

void
session_start_timer(struct session *session, long milliseconds)
{
	struct timeval time = clock_timeval(milliseconds);

	if (session->timer == NULL)
		session->timer =
		    evtimer_new(session->base, session_overdue, session);
	evtimer_add(session->timer, &time);
}

void
session_stop_timer(struct session *session)
{
	if (session->timer != NULL)
		evtimer_del(session->timer);
}

/*
 * A notice may carry parameters: it goes nowhere.  One counts: what was
 * committed here may not be on the standby, since something has ended the
 * wait for it.  The function that says so is told in no other language.
 */
static void
session_notice(void *arg, const PGresult *result)
{
	struct session *session = arg;
	const char *function =
	    PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);

	if (function != NULL && strcmp(function, SESSION_STANDBY_WAIT) == 0)
		session->unsafe = true;
}

/* Sends what libpq holds; waits for the socket where it does not take all. */
static void
session_flush(struct session *session)
{
	int left = PQflush(session->connection);

	if (left < 0)
		/* What is wrong shows when the socket is read. */
		event_active(session->input, EV_READ, 0);
	else if (left > 0)
		event_add(session->output, NULL);
}

static void
session_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	session_flush(arg);
}

/*
 * libpq fills its buffers from the start, for each batch of statements anew,
 * so none has reached farther than its own bytes.
 */
static void
session_account(struct session *session)
{
	if (session->cleaning)
		session->soiled = 0;
	else if (session->secret && session->bytes > session->soiled)
		session->soiled = session->bytes;
	session->bytes = 0;
	session->secret = session->cleaning = false;
}

/* The server does not keep to the protocol: nothing it says counts. */
static void
session_distrust(struct session *session, const char *fault)
{
	if (PQstatus(session->connection) == CONNECTION_BAD)
		return (session_fail(session, "connection lost"));
	log_error("PostgreSQL breaks the protocol", log_text("fault", fault));
	session_fail(session, "protocol violation");
}

/*
 * Whether a result is one that a statement of ours can have.  None of them
 * copies: libpq gives the result that begins a COPY again and again.
 */
static bool
session_is_sound(const struct session *session, const PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_PIPELINE_ABORTED:
		return (session->results < session->statements);
	case PGRES_FATAL_ERROR:
		/* The last is that of the commit. */
		return (session->results <= session->statements);
	default:
		return (false);
	}
}

static void
session_end(struct session *session)
{
	session->running = false;
	if (PQstatus(session->connection) == CONNECTION_BAD ||
	    session->results < session->statements)
		return (session_distrust(session, "a result is missing"));
	if (session->unsafe)
		return (session_fail(session, "standby not awaited"));
	session->statements = session->results = session->received = 0;
	session_account(session);
	session->events->finished(session->owner);
}

/* Hands out what has come; stops when more is needed, or all is closed. */
static void
session_receive(struct session *session)
{
	bool gap = false;
	PGresult *result;

	while (session->running && !PQisBusy(session->connection)) {
		result = PQgetResult(session->connection);
		if (result == NULL && !gap) {
			/* NULL parts the statements. */
			gap = true;
			continue;
		}
		gap = false;
		if (result == NULL ||
		    PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
			PQclear(result);
			session_end(session);
		} else if (session_is_sound(session, result)) {
			session->results++;
			session->bytes += PQresultMemorySize(result);
			session->events->result(session->owner, result);
		} else {
			PQclear(result);
			session_distrust(session, "an unexpected result");
		}
	}
}

/* False: so much has come that the connection was given up. */
static bool
session_measure(struct session *session, evutil_socket_t fd)
{
	int size = 0;

	if (ioctl(fd, FIONREAD, &size) == 0)
		session->received += size;
	if (session->received / SESSION_RECEIVED_MAX <= session->statements)
		return (true);
	session_distrust(session, "an answer without end");
	return (false);
}

static void
session_readable(evutil_socket_t fd, short what, void *arg)
{
	struct session *session = arg;

	(void)what;
	if (!session_measure(session, fd))
		return;
	if (!PQconsumeInput(session->connection))
		return (session_fail(session, "connection lost"));
	/* What was held back may go now that the server's output is read. */
	session_flush(session);
	/* Also without a statement: the server may have said good-bye. */
	(void)PQisBusy(session->connection);
	session_receive(session);
}

static void
session_connected(struct session *session)
{
	evutil_socket_t socket = PQsocket(session->connection);

	session->connecting = false;
	session->received = 0;
	session_forget_event(&session->input);
	PQsetnonblocking(session->connection, 1);
	PQenterPipelineMode(session->connection);
	session->input = event_new(session->base, socket, EV_READ | EV_PERSIST,
	    session_readable, session);
	session->output = event_new(
	    session->base, socket, EV_WRITE, session_writable, session);
	event_add(session->input, NULL);
	session->events->connected(session->owner);
}

/* Between two polls libpq may have gone to another socket. */
static void
session_wait(struct session *session, short what)
{
	session_forget_event(&session->input);
	session->input = event_new(session->base, PQsocket(session->connection),
	    what, session_poll, session);
	event_add(session->input, NULL);
}

static void
session_poll(evutil_socket_t fd, short what, void *arg)
{
	struct session *session = arg;

	(void)what;
	if (!session_measure(session, fd))
		return;
	switch (PQconnectPoll(session->connection)) {
	case PGRES_POLLING_OK:
		session_connected(session);
		break;
	case PGRES_POLLING_READING:
		session_wait(session, EV_READ);
		break;
	case PGRES_POLLING_WRITING:
		session_wait(session, EV_WRITE);
		break;
	default:
		session_fail_broken(session);
	}
}

/*
 * A host has a connection of its own: libpq, where it does not block, would
 * wait for a silent one without end, and never come to the next.
 */
static void
session_try(struct session *session)
{
	const struct dsn_host *host = &session->dsn->hosts[session->host];

	session->connection =
	    PQconnectStartParams(host->keywords, host->values, 0);
	PQsetErrorVerbosity(session->connection, PQERRORS_SQLSTATE);
	PQsetErrorContextVisibility(session->connection, PQSHOW_CONTEXT_NEVER);
	PQsetNoticeReceiver(session->connection, session_notice, session);
	if (PQstatus(session->connection) != CONNECTION_BAD) {
		session_start_timer(session, session->host_timeout);
		session_wait(session, EV_WRITE);
	} else {
		/* The owner is told from the loop, not from his own call. */
		session_start_timer(session, 0);
	}
}

void
session_connect(struct session *session, struct dsn *dsn, long milliseconds)
{
	session->dsn = dsn;
	session->host_timeout =
	    dsn->connect_timeout > 0 ? dsn->connect_timeout : milliseconds;
	session->host = dsn->first;
	session->untried = dsn->hosts_count - 1;
	session->since = clock_microseconds();
	session->connecting = true;
	session_try(session);
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
	if (!dsn_settle(session->dsn, session->host))
		return (false);
	log_info("another host of the database serves",
	    log_text("host", session->dsn->hosts[session->host].name));
	return (true);
}

void
session_pass(struct session *session)
{
	dsn_pass(session->dsn, session->host);
}

bool
session_is_standby(const struct session *session)
{
	const char *standby =
	    PQparameterStatus(session->connection, "in_hot_standby");

	return (standby != NULL && strcmp(standby, "on") == 0);
}

bool
session_is_writable(const struct session *session)
{
	return (session_takes_writes(session->connection));
}

bool
session_takes_writes(const PGconn *connection)
{
	const char *standby = PQparameterStatus(connection, "in_hot_standby");
	const char *only =
	    PQparameterStatus(connection, "default_transaction_read_only");

	return ((standby == NULL || strcmp(standby, "on") != 0) &&
	    (only == NULL || strcmp(only, "on") != 0));
}

/* Whether libpq took a command; if not, the loop will find out why. */
static void
session_sent(struct session *session, int sent)
{
	session->running = true;
	if (sent == 0)
		session_start_timer(session, 0);
}

static void
session_split(struct session *session,
    const struct session_parameter *parameters, size_t count,
    const char **values, int *sizes, int *formats)
{
	const struct session_parameter *parameter;
	size_t i;

	session->bytes += SESSION_OVERHEAD;
	for (i = 0; i < count; i++) {
		parameter = &parameters[i];
		values[i] = parameter->value;
		sizes[i] = (int)parameter->size;
		formats[i] = parameter->binary ? 1 : 0;
		if (parameter->value == NULL)
			continue;
		session->bytes += parameter->binary ? parameter->size
						    : strlen(parameter->value);
		session->secret = session->secret || parameter->secret;
	}
}

void
session_query(struct session *session, const char *sql, const Oid *types,
    const struct session_parameter *parameters, size_t count)
{
	const char *values[SESSION_PARAMETERS_MAX];
	int sizes[SESSION_PARAMETERS_MAX], formats[SESSION_PARAMETERS_MAX];

	session_split(session, parameters, count, values, sizes, formats);
	session->statements++;
	session_sent(session,
	    PQsendQueryParams(session->connection, sql, (int)count, types,
		values, sizes, formats, 1));
}

void
session_execute(struct session *session, const char *name,
    const struct session_parameter *parameters, size_t count)
{
	const char *values[SESSION_PARAMETERS_MAX];
	int sizes[SESSION_PARAMETERS_MAX], formats[SESSION_PARAMETERS_MAX];

	session_split(session, parameters, count, values, sizes, formats);
	session->statements++;
	session_sent(session,
	    PQsendQueryPrepared(session->connection, name, (int)count, values,
		sizes, formats, 1));
}

void
session_prepare(struct session *session, const char *name, const char *sql,
    const Oid *types, size_t count)
{
	session->statements++;
	session_sent(session,
	    PQsendPrepare(session->connection, name, sql, (int)count, types));
}

void
session_flush_results(struct session *session)
{
	session_sent(session, PQsendFlushRequest(session->connection));
}

void
session_sync(struct session *session)
{
	session_sent(session, PQpipelineSync(session->connection));
	session_flush(session);
}

bool
session_is_soiled(const struct session *session)
{
	return (session->soiled > 0);
}

/* libpq's buffers are beyond reach, but not beyond what they are used for. */
void
session_clean(struct session *session)
{
	const size_t size = session->soiled;
	char *nothing = memory_new(size);
	const struct session_parameter parameter = { nothing, size, true,
		false };

	session->cleaning = true;
	session_query(session, SESSION_ECHO_SQL, NULL, &parameter, 1);
	session_sync(session);
	memory_free(nothing);
}

bool
session_sqlstate(const PGresult *result, char sqlstate[SESSION_SQLSTATE_SIZE])
{
	const char *state;

	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_PIPELINE_SYNC:
		return (false);
	default:
		/* A dead connection gives an error without one. */
		state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
		snprintf(sqlstate, SESSION_SQLSTATE_SIZE, "%s",
		    state != NULL ? state : "");
		return (true);
	}
}
