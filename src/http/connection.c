#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "http/connection.h"
#include "http/proxy_socket.h"
#include "http/room.h"

#define CONNECTION_CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

static void
connection_enter(struct connection *connection, enum phase phase)
{
	phase_enter(&connection->all->phases, &connection->member, phase,
	    clock_milliseconds());
}

static enum phase
connection_phase(const struct connection *connection)
{
	return (connection->member.phase);
}

void
connection_cut(struct phase_member *member)
{
	struct connection *connection = connection_of(member);

	if (connection->proxy != NULL) {
		proxy_socket_free(connection->proxy);
		connection->proxy = NULL;
		bufferevent_enable(connection->socket, EV_READ);
	}
	shutdown(bufferevent_getfd(connection->socket), SHUT_RDWR);
	connection_enter(connection, PHASE_CUT);
}

/* Arriving ----------------------------------------------------------------- */

/* Whether its address may have one more: others of it may go that are idle. */
static bool
connection_has_room(const struct connection *connection)
{
	struct connections *all = connection->all;
	const struct peer *peer = connection->member.peer;

	if (peer_count(peer) <= (size_t)all->settings->max_address_connections)
		return (true);
	return (room_make_of(
	    &all->phases, peer, clock_milliseconds(), connection_cut));
}

static void
connection_admit(struct connection *connection, bool counts)
{
	unsigned char network[16];
	bool fits = true;

	if (counts && address_of_network(connection->address, network)) {
		connection->member.peer =
		    peers_enter(connection->all->peers, network);
		fits = connection_has_room(connection);
	}
	connection_enter(connection,
	    bufferevent_openssl_get_ssl(connection->socket) != NULL
		? PHASE_HANDSHAKE
		: PHASE_IDLE);
	if (fits)
		return;
	metrics_connection_refused();
	connection_cut(&connection->member);
}

static void
connection_refuse_proxy(struct connection *connection)
{
	log_warning("connection of a proxy refused",
	    log_text("cause", "it does not begin with a PROXY header"),
	    log_text("ip", connection->address));
	metrics_connection_refused();
	connection_cut(&connection->member);
}

/*
 * A proxy that speaks for itself, or for a client whose address it does not
 * know, is not counted.
 */
static void
connection_take_client(struct connection *connection, const struct proxy *proxy)
{
	const bool named = proxy->client[0] != '\0';

	if (named)
		snprintf(connection->address, sizeof(connection->address), "%s",
		    proxy->client);
	proxy_socket_free(connection->proxy);
	connection->proxy = NULL;
	connection_enter(connection, PHASE_NEW);
	connection_admit(connection, named);
	if (connection_phase(connection) != PHASE_CUT)
		bufferevent_enable(connection->socket, EV_READ);
}

static void
connection_proxy_done(
    void *arg, enum proxy_state state, const struct proxy *proxy)
{
	struct connection *connection = arg;

	if (state == PROXY_WHOLE)
		connection_take_client(connection, proxy);
	else if (state == PROXY_FAULT)
		connection_refuse_proxy(connection);
	else
		connection_cut(&connection->member);
}

/* evhttp has begun to read, and has read nothing: it may be stopped. */
static void
connection_await_proxy(struct connection *connection)
{
	bufferevent_disable(connection->socket, EV_READ);
	connection->proxy = proxy_socket_new(connection->all->base,
	    connection->descriptor, connection_proxy_done, connection);
	connection_enter(connection, PHASE_PROXY);
}

static void
connection_find_address(struct connection *connection)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);

	if (getpeername(connection->descriptor, (struct sockaddr *)&address,
		&size) != 0 ||
	    (address.ss_family != AF_INET && address.ss_family != AF_INET6))
		return;
	getnameinfo((struct sockaddr *)&address, size, connection->address,
	    sizeof(connection->address), NULL, 0, NI_NUMERICHOST);
}

void
connection_arrive(struct connection *connection)
{
	struct connections *all = connection->all;
	const struct settings *settings = all->settings;
	const evutil_socket_t fd = bufferevent_getfd(connection->socket);
	bool proxy;

	if (fd < 0) {
		connection_enter(connection, PHASE_CUT);
		return;
	}
	connection->descriptor = fd;
	fd_table_set(&all->descriptors, fd, connection);
	connection_find_address(connection);
	proxy = settings->trusted_proxies != NULL &&
	    address_is_in(connection->address, settings->trusted_proxies);
	if (proxy && settings->proxy_protocol != 0)
		connection_await_proxy(connection);
	else
		connection_admit(connection, !proxy);
}

/* Reading ------------------------------------------------------------------ */

static const enum phase connection_phases[] = {
	[FEED_IDLE] = PHASE_IDLE,
	[FEED_HEAD] = PHASE_HEAD,
	[FEED_EXPECTS] = PHASE_EXPECTS,
	[FEED_BODY] = PHASE_BODY,
	[FEED_GIVEN] = PHASE_CALL,
};

/* Its phase follows the state of the feed; the time of a phase that stays runs on. */
static void
connection_follow(struct connection *connection, enum feed_state before)
{
	const enum feed_state state = connection->feed.state;

	if (state == before)
		return;
	connection_enter(connection, connection_phases[state]);
	if (state == FEED_EXPECTS)
		event_active(connection->all->proceed, EV_TIMEOUT, 0);
}

static void
connection_read(struct connection *connection)
{
	const enum feed_state before = connection->feed.state;

	if (!phase_reads(connection_phase(connection)))
		return;
	feed_read(&connection->feed, bufferevent_get_input(connection->socket));
	connection_follow(connection, before);
}

static void
connection_count_request(struct connection *connection)
{
	usage_set_request(&connection->all->usage, &connection->usage,
	    feed_size(&connection->feed), connection->feed.given);
}

static void
connection_refuse_body(struct connection *connection)
{
	feed_refuse(&connection->feed,
	    bufferevent_get_input(connection->socket), ERROR_UNAVAILABLE,
	    "there is no memory for the body");
	connection_enter(connection, PHASE_CALL);
}

/* After a fault nothing is known to be a request, nor once evhttp is gone. */
static bool
connection_ignores(const struct connection *connection)
{
	return (feed_fault(&connection->feed) != NULL ||
	    phase_ends(connection_phase(connection)));
}

/*
 * Called for bytes that have arrived, before evhttp is told of them.  While an
 * answer is sent evhttp would take any number of them.
 */
static void
connection_received(
    struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct connection *connection = arg;
	struct feed *feed = &connection->feed;

	if (info->n_added == 0 || connection->moving)
		return;
	connection->moving = true;
	feed_hold(feed, input, info->n_added);
	if (connection_ignores(connection))
		feed_drop(feed);
	connection_read(connection);
	connection_count_request(connection);
	if (connection_phase(connection) == PHASE_BODY &&
	    !usage_fits_body(
		&connection->all->usage, connection->member.authenticated))
		connection_refuse_body(connection);
	if (feed_is_full(feed))
		bufferevent_disable(connection->socket, EV_READ);
	connection->moving = false;
}

/*
 * evhttp must not learn that this has been written: it would take it for the
 * end of the answer before.  It sets its callback again with the next answer.
 */
void
connection_proceed(struct connection *connection)
{
	struct bufferevent *socket = connection->socket;
	bufferevent_data_cb read;
	bufferevent_event_cb ended;
	void *arg;

	feed_proceed(&connection->feed);
	connection_enter(connection, PHASE_BODY);
	bufferevent_getcb(socket, &read, NULL, &ended, &arg);
	bufferevent_setcb(socket, read, NULL, ended, arg);
	evbuffer_add(bufferevent_get_output(socket), CONNECTION_CONTINUE,
	    strlen(CONNECTION_CONTINUE));
	bufferevent_enable(socket, EV_WRITE);
}

/* Answering ---------------------------------------------------------------- */

static void
connection_done(struct connection *connection)
{
	struct connections *all = connection->all;

	all->busy -= connection->begun;
	connection->begun = false;
	all->changed(all->owner);
}

/* From the first byte of an answer on it is the client who is slow. */
static void
connection_answers(
    struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
	struct connection *connection = arg;

	(void)output;
	usage_change_answer(&connection->all->usage, &connection->usage,
	    info->n_added, info->n_deleted);
	if (info->n_added > 0 && connection_phase(connection) == PHASE_CALL)
		connection_enter(connection, PHASE_ANSWER);
}

static void
connection_read_on(struct connection *connection)
{
	connection_enter(connection, PHASE_IDLE);
	connection->moving = true;
	/* A socket freezes its input again at the next byte. */
	evbuffer_unfreeze(bufferevent_get_input(connection->socket), 0);
	connection_read(connection);
	connection->moving = false;
}

/* All of the answer is sent; evhttp is about to read on. */
static void
connection_answered(struct evhttp_request *http, void *arg)
{
	struct connection *connection = arg;

	(void)http;
	feed_answered(&connection->feed);
	if (connection_phase(connection) == PHASE_ANSWER &&
	    feed_fault(&connection->feed) == NULL)
		connection_read_on(connection);
	connection_count_request(connection);
	connection_done(connection);
}

/* evhttp is in the middle of it: what follows has to wait for its end. */
static void
connection_left(struct evhttp_connection *http, void *arg)
{
	struct connection *connection = arg;

	(void)http;
	connection_enter(connection, PHASE_LEFT);
	event_active(connection->all->leave, EV_TIMEOUT, 0);
	connection_done(connection);
}

void
connection_begin(struct connection *connection, struct evhttp_request *http)
{
	connection->begun = true;
	connection->all->busy++;
	evhttp_request_set_on_complete_cb(
	    http, connection_answered, connection);
	evhttp_connection_set_closecb(
	    evhttp_request_get_connection(http), connection_left, connection);
}

/* Ending ------------------------------------------------------------------- */

static void
connection_ended(struct bufferevent *socket, short what, void *arg)
{
	(void)socket;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		connection_free(arg);
}

/*
 * evhttp has sent the end of the stream.  To close now, with bytes unread,
 * would take the answer away from a client that has not read it yet.
 */
void
connection_linger(struct connection *connection)
{
	connection_enter(connection, PHASE_LINGER);
	bufferevent_setcb(
	    connection->socket, NULL, NULL, connection_ended, connection);
	bufferevent_disable(connection->socket, EV_WRITE);
	bufferevent_enable(connection->socket, EV_READ);
}

/* evhttp takes its callbacks away when it frees what it has. */
bool
connection_is_left(const struct connection *connection)
{
	bufferevent_event_cb callback;

	bufferevent_getcb(connection->socket, NULL, NULL, &callback, NULL);
	return (callback == NULL);
}

void
connection_overdue(struct connection *connection)
{
	const enum phase phase = connection_phase(connection);
	SSL *ssl = bufferevent_openssl_get_ssl(connection->socket);

	if (phase == PHASE_LINGER)
		connection_free(connection);
	else if (phase == PHASE_HANDSHAKE && SSL_is_init_finished(ssl))
		connection_enter(connection, PHASE_IDLE);
	else
		connection_cut(&connection->member);
}

/* Itself ------------------------------------------------------------------- */

struct connection *
connection_new(struct connections *all, struct bufferevent *socket)
{
	struct connection *connection = memory_new(sizeof(*connection));

	bufferevent_incref(socket);
	connection->all = all;
	connection->socket = socket;
	connection->descriptor = -1;
	feed_init(&connection->feed, &all->limits);
	phase_begin(&all->phases, &connection->member, clock_milliseconds());
	all->count++;
	evbuffer_add_cb(
	    bufferevent_get_input(socket), connection_received, connection);
	evbuffer_add_cb(
	    bufferevent_get_output(socket), connection_answers, connection);
	return (connection);
}

void
connection_free(struct connection *connection)
{
	struct connections *all = connection->all;
	struct bufferevent *socket = connection->socket;

	if (connection->descriptor >= 0)
		fd_table_set(&all->descriptors, connection->descriptor, NULL);
	phase_leave(&all->phases, &connection->member);
	all->count--;
	usage_leave(&all->usage, &connection->usage);
	peer_leave(connection->member.peer);
	proxy_socket_free(connection->proxy);
	evbuffer_remove_cb(
	    bufferevent_get_input(socket), connection_received, connection);
	evbuffer_remove_cb(
	    bufferevent_get_output(socket), connection_answers, connection);
	bufferevent_decref(socket);
	feed_free(&connection->feed);
	memory_free(connection);
	all->changed(all->owner);
}

const struct http_head *
connection_fault(const struct connection *connection)
{
	return (feed_fault(&connection->feed));
}

const char *
connection_peer(const struct connection *connection)
{
	return (connection->address);
}

void
connection_authenticated(struct connection *connection)
{
	connection->member.authenticated = true;
}
