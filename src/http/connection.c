#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "http/chunk.h"
#include "http/connection.h"
#include "http/peer.h"
#include "http/proxy.h"

#define CONNECTION_SWEEP_MS 200
/* For a client to read its answer while it still sends, until it is cut. */
#define CONNECTION_LINGER_MS 2000
/* What has just come is spared when room is made, and not all goes at once. */
#define CONNECTION_FRESH_MS 1000
#define CONNECTION_ROOM 16
/* What evhttp is told in the place of a faulty request. */
#define CONNECTION_FAULT "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
/*
 * What a request takes while its call runs: its document, the parameters that
 * are made of that, and libpq's copy.
 */
#define CONNECTION_REQUEST_COPIES 3
/* Bodies may take one part in so many of the memory for requests. */
#define CONNECTION_BODIES_SHARE 2
#define CONNECTION_STRANGERS_SHARE 4 /* without a good key */
/* Fewer bytes are copied, for libevent keeps a block for each time it reads. */
#define CONNECTION_MOVE_LEAST 4096
#define CONNECTION_CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
#define CONNECTION_EMPTY_LINE "\r\n"

/* With the scope of a link-local address. */
#define CONNECTION_PEER_SIZE (ADDRESS_TEXT_SIZE + 16)

enum connection_phase {
	CONNECTION_NEW, /* evhttp has not given it its socket */
	CONNECTION_PROXY, /* a trusted proxy has to name its client first */
	CONNECTION_SHAKES_HANDS, /* TLS */
	CONNECTION_IDLE, /* nothing of a request is there */
	CONNECTION_HEAD, /* a head is not whole */
	CONNECTION_EXPECTS, /* the client waits for 100, which is sent next */
	CONNECTION_BODY, /* a body is not whole */
	CONNECTION_CALL, /* a request is with evhttp; its time is its deadline */
	CONNECTION_ANSWER, /* its answer is sent, to the last byte */
	CONNECTION_CUT, /* shut down; evhttp has yet to notice */
	CONNECTION_LEFT, /* evhttp has let go of it */
	CONNECTION_LINGERS, /* it is answered, and the client may still send */
	CONNECTION_PHASES,
};

/* What has come of a header of the PROXY protocol. */
struct connection_proxy {
	struct event *event;
	unsigned char bytes[PROXY_SIZE_MAX];
	size_t size;
};

struct connection {
	TAILQ_ENTRY(connection) entry;
	struct connections *all;
	struct bufferevent *socket; /* evhttp has it too, until it lets go */
	struct evbuffer *held; /* what evhttp may not see yet */
	evutil_socket_t descriptor; /* -1: it has none yet */
	char address[CONNECTION_PEER_SIZE];
	struct peer *peer; /* NULL: a proxy, or no address: not counted */
	struct connection_proxy *proxy; /* in that phase */
	bool authenticated;
	enum connection_phase phase;
	int64_t since;
	bool begun; /* evhttp has read a request that is not answered */
	bool moving; /* bytes, from one buffer to the other */
	struct http_head frame; /* of the request that is read */
	struct chunk chunk; /* of its body, if that comes in chunks */
	struct evbuffer *head; /* as evhttp gets it, without the empty line */
	struct evbuffer *body; /* without the framing of chunks */
	size_t given; /* bytes of the request that evhttp has */
	size_t received; /* bytes that are counted in all, ... */
	size_t sent; /* ... and of an answer, that are not sent yet */
};

TAILQ_HEAD(connection_list, connection);

struct connections {
	struct event_base *base;
	const struct settings *settings;
	struct peers *peers;
	struct event *arrive;
	struct event *sweep;
	struct event *leave;
	struct event *proceed;
	struct http_head_limits limits;
	/* Oldest first, since all of a phase have the same time. */
	struct connection_list phases[CONNECTION_PHASES];
	int64_t times[CONNECTION_PHASES]; /* in ms; 0: without end */
	struct connection **by_descriptor;
	size_t descriptors;
	size_t count;
	size_t most;
	size_t busy;
	size_t received;
	size_t sent;
	void (*changed)(void *owner);
	void *owner;
};

static void
connection_enter(struct connection *connection, enum connection_phase phase)
{
	struct connections *all = connection->all;

	TAILQ_REMOVE(&all->phases[connection->phase], connection, entry);
	TAILQ_INSERT_TAIL(&all->phases[phase], connection, entry);
	connection->phase = phase;
	connection->since = clock_microseconds() / 1000;
}

/* By its descriptor a connection is found again when evhttp has a request. */
static void
connection_register(struct connection *connection)
{
	struct connections *all = connection->all;
	size_t index = (size_t)bufferevent_getfd(connection->socket), count;
	struct connection **larger;

	if (index >= all->descriptors) {
		count = index * 2 + 64;
		larger = memory_new_array(count, sizeof(*larger));
		if (all->descriptors > 0)
			memcpy(larger, all->by_descriptor,
			    all->descriptors * sizeof(*larger));
		memory_free(all->by_descriptor);
		all->by_descriptor = larger;
		all->descriptors = count;
	}
	connection->descriptor = (evutil_socket_t)index;
	all->by_descriptor[index] = connection;
}

static void connection_received(
    struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg);
static void connection_answers(
    struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg);

static void
connection_proxy_free(struct connection *connection)
{
	if (connection->proxy == NULL)
		return;
	event_free(connection->proxy->event);
	memory_free(connection->proxy);
	connection->proxy = NULL;
}

static void
connection_free(struct connection *connection)
{
	struct connections *all = connection->all;

	if (connection->descriptor >= 0)
		all->by_descriptor[connection->descriptor] = NULL;
	TAILQ_REMOVE(&all->phases[connection->phase], connection, entry);
	all->count--;
	all->received -= connection->received;
	all->sent -= connection->sent;
	peer_leave(connection->peer);
	connection_proxy_free(connection);
	evbuffer_remove_cb(bufferevent_get_input(connection->socket),
	    connection_received, connection);
	evbuffer_remove_cb(bufferevent_get_output(connection->socket),
	    connection_answers, connection);
	bufferevent_decref(connection->socket);
	evbuffer_free(connection->held);
	evbuffer_free(connection->head);
	evbuffer_free(connection->body);
	memory_free(connection);
	all->changed(all->owner);
}

/* Arriving ----------------------------------------------------------------- */

/* evhttp reads the end of the stream, and lets go; it must not be forced. */
static void
connection_cut(struct connection *connection)
{
	if (connection->phase == CONNECTION_PROXY) {
		connection_proxy_free(connection);
		bufferevent_enable(connection->socket, EV_READ);
	}
	shutdown(bufferevent_getfd(connection->socket), SHUT_RDWR);
	connection_enter(connection, CONNECTION_CUT);
}

/*
 * Where those without a good key are that may go when there are too many.  A
 * call that runs, and an answer that is sent, are left alone.
 */
static const enum connection_phase connection_strangers[] = {
	CONNECTION_SHAKES_HANDS,
	CONNECTION_PROXY,
	CONNECTION_IDLE,
	CONNECTION_HEAD,
	CONNECTION_EXPECTS,
	CONNECTION_BODY,
};

/* Room that is made: for all, or by those of one address for another one. */
struct connection_room {
	const struct peer *peer; /* NULL: of any */
	size_t wanted;
	size_t made;
	bool spared; /* there are some that have just come, or end anyhow */
};

static void
connections_cut(struct connections *all, enum connection_phase phase,
    bool authenticated, struct connection_room *room)
{
	int64_t now = clock_microseconds() / 1000;
	struct connection *connection, *next;

	for (connection = TAILQ_FIRST(&all->phases[phase]);
	     connection != NULL && room->made < room->wanted;
	     connection = next) {
		next = TAILQ_NEXT(connection, entry);
		if (connection->authenticated != authenticated ||
		    (room->peer != NULL && connection->peer != room->peer))
			continue;
		if (now - connection->since < CONNECTION_FRESH_MS) {
			room->spared = true;
			break;
		}
		connection_cut(connection);
		room->made++;
	}
}

/* Those that a good key has come by are cut only when there are no others. */
static void
connections_cut_all(struct connections *all, struct connection_room *room)
{
	const size_t strangers =
	    sizeof(connection_strangers) / sizeof(connection_strangers[0]);
	size_t i;

	for (i = 0; i < strangers; i++)
		connections_cut(all, connection_strangers[i], false, room);
	if (room->made == 0 && !room->spared)
		connections_cut(all, CONNECTION_IDLE, true, room);
}

/* Whether an address may have one more. */
static bool
connections_have_room(struct connections *all, const struct peer *peer)
{
	struct connection_room room = { .peer = peer, .wanted = 1 };

	if (peer_count(peer) <= (size_t)all->settings->max_address_connections)
		return (true);
	connections_cut_all(all, &room);
	return (room.made > 0);
}

/* The client is known.  It is one too many when its others all have work. */
static void
connection_admit(struct connection *connection, bool counts)
{
	struct connections *all = connection->all;
	unsigned char network[16];
	bool fits = true;

	if (counts && address_of_network(connection->address, network)) {
		connection->peer = peers_enter(all->peers, network);
		fits = connections_have_room(all, connection->peer);
	}
	connection_enter(connection,
	    bufferevent_openssl_get_ssl(connection->socket) != NULL
		? CONNECTION_SHAKES_HANDS
		: CONNECTION_IDLE);
	if (fits)
		return;
	metrics_connection_refused();
	connection_cut(connection);
}

static void
connection_refuse_proxy(struct connection *connection, const char *cause)
{
	log_warning("connection of a proxy refused", log_text("cause", cause),
	    log_text("ip", connection->address));
	metrics_connection_refused();
	connection_cut(connection);
}

/* A proxy that speaks for itself, or for nobody it knows, is not counted. */
static void
connection_is_named(struct connection *connection, const struct proxy *named)
{
	const bool client = named->client[0] != '\0';

	if (client)
		snprintf(connection->address, sizeof(connection->address), "%s",
		    named->client);
	connection_proxy_free(connection);
	connection_enter(connection, CONNECTION_NEW);
	connection_admit(connection, client);
	if (connection->phase != CONNECTION_CUT)
		bufferevent_enable(connection->socket, EV_READ);
}

/*
 * Only what is of the header is taken from the socket: what follows it is for
 * TLS, or for evhttp.
 */
static void
connection_read_proxy(evutil_socket_t fd, short what, void *arg)
{
	struct connection *connection = arg;
	struct connection_proxy *proxy = connection->proxy;
	unsigned char *next = proxy->bytes + proxy->size;
	struct proxy named;
	enum proxy_state state;
	ssize_t size;

	(void)what;
	size = recv(fd, next, sizeof(proxy->bytes) - proxy->size, MSG_PEEK);
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0)
		return (connection_cut(connection));
	state = proxy_read(proxy->bytes, proxy->size + (size_t)size, &named);
	if (state == PROXY_WHOLE)
		size = (ssize_t)(named.size - proxy->size);
	if (state == PROXY_FAULT || recv(fd, next, (size_t)size, 0) != size)
		return (connection_refuse_proxy(
		    connection, "it does not begin with a PROXY header"));
	proxy->size += (size_t)size;
	if (state == PROXY_WHOLE)
		connection_is_named(connection, &named);
}

/* evhttp has begun to read, and has read nothing: it may be stopped. */
static void
connection_await_proxy(struct connection *connection)
{
	struct connections *all = connection->all;

	bufferevent_disable(connection->socket, EV_READ);
	connection->proxy = memory_new(sizeof(*connection->proxy));
	connection->proxy->event = event_new(all->base, connection->descriptor,
	    EV_READ | EV_PERSIST, connection_read_proxy, connection);
	event_add(connection->proxy->event, NULL);
	connection_enter(connection, CONNECTION_PROXY);
}

/* Whoever is at the other end of the socket. */
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

static void
connection_arrive(struct connection *connection)
{
	const struct settings *settings = connection->all->settings;
	bool proxy;

	if (bufferevent_getfd(connection->socket) < 0) {
		connection_enter(connection, CONNECTION_CUT);
		return;
	}
	connection_register(connection);
	connection_find_address(connection);
	proxy = settings->trusted_proxies != NULL &&
	    address_is_in(connection->address, settings->trusted_proxies);
	if (proxy && settings->proxy_protocol != 0)
		connection_await_proxy(connection);
	else
		connection_admit(connection, !proxy);
}

/* As soon as evhttp has accepted them, and before a byte is read. */
static void
connections_arrive(evutil_socket_t fd, short what, void *arg)
{
	struct connections *all = arg;
	struct connection *connection;

	(void)fd;
	(void)what;
	while ((connection = TAILQ_FIRST(&all->phases[CONNECTION_NEW])) != NULL)
		connection_arrive(connection);
}

/* Reading ------------------------------------------------------------------ */

static void
connection_drain(struct evbuffer *buffer)
{
	evbuffer_drain(buffer, evbuffer_get_length(buffer));
}

/* Takes size bytes from the front of one buffer to the end of another. */
static void
connection_move(struct evbuffer *to, struct evbuffer *from, size_t size)
{
	if (size >= CONNECTION_MOVE_LEAST) {
		evbuffer_remove_buffer(from, to, size);
		return;
	}
	evbuffer_add(to, evbuffer_pullup(from, (ssize_t)size), size);
	evbuffer_drain(from, size);
}

static void
connection_refuse(struct connection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->socket);

	connection_drain(connection->held);
	connection_drain(connection->head);
	connection_drain(connection->body);
	evbuffer_add(input, CONNECTION_FAULT, strlen(CONNECTION_FAULT));
	connection_enter(connection, CONNECTION_CALL);
}

/*
 * The request is whole, and evhttp gets it.  It gets the length of a body that
 * came in chunks, and never sees a chunk.
 */
static void
connection_give(struct connection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->socket);

	connection->given = evbuffer_get_length(connection->head) +
	    evbuffer_get_length(connection->body);
	evbuffer_add_buffer(input, connection->head);
	if (connection->frame.chunked)
		evbuffer_add_printf(input, "Content-Length: %zu\r\n",
		    evbuffer_get_length(connection->body));
	evbuffer_add(
	    input, CONNECTION_EMPTY_LINE, strlen(CONNECTION_EMPTY_LINE));
	evbuffer_add_buffer(input, connection->body);
	connection_enter(connection, CONNECTION_CALL);
}

static void
connection_take_head(struct connection *connection)
{
	const struct http_head *frame = &connection->frame;
	const struct http_head_line *line;
	struct evbuffer *held = connection->held;
	size_t at = 0, i;

	for (i = 0; i < frame->removed_count; i++) {
		line = &frame->removed[i];
		evbuffer_remove_buffer(held, connection->head, line->at - at);
		evbuffer_drain(held, line->size);
		at = line->at + line->size;
	}
	evbuffer_remove_buffer(held, connection->head,
	    frame->head - strlen(CONNECTION_EMPTY_LINE) - at);
	evbuffer_drain(held, strlen(CONNECTION_EMPTY_LINE));
}

/* A client that has begun to send the body is not told to go on. */
static void
connection_begin_body(struct connection *connection)
{
	memset(&connection->chunk, 0, sizeof(connection->chunk));
	if (!connection->frame.expects ||
	    evbuffer_get_length(connection->held) > 0) {
		connection_enter(connection, CONNECTION_BODY);
		return;
	}
	connection_enter(connection, CONNECTION_EXPECTS);
	event_active(connection->all->proceed, EV_TIMEOUT, 0);
}

/* Returns whether there is more to be done with what is held. */
static bool
connection_read_head(struct connection *connection)
{
	const struct http_head_limits *limits = &connection->all->limits;
	struct evbuffer *held = connection->held;
	struct http_head *frame = &connection->frame;
	size_t size = evbuffer_get_length(held);

	if (size > limits->head + 1)
		size = limits->head + 1;
	switch (http_head_read(frame,
	    (char *)evbuffer_pullup(held, (ssize_t)size), size, limits)) {
	case HTTP_HEAD_WHOLE:
		connection_take_head(connection);
		if (frame->body > 0 || frame->chunked)
			connection_begin_body(connection);
		else
			connection_give(connection);
		return (true);
	case HTTP_HEAD_FAULT:
		connection_refuse(connection);
		return (false);
	default:
		return (false);
	}
}

/* Returns how many bytes of the body it has taken, of as many as are left. */
static size_t
connection_take_body(struct connection *connection, size_t left)
{
	size_t size = evbuffer_get_length(connection->held);

	if (size > left)
		size = left;
	connection_move(connection->body, connection->held, size);
	return (size);
}

/* Framing, or else the data up to the next framing. */
static void
connection_read_chunk(struct connection *connection)
{
	const size_t limit = connection->all->limits.body;
	struct evbuffer *held = connection->held;
	struct chunk *chunk = &connection->chunk;
	size_t size = evbuffer_get_length(held);

	if (chunk->state == CHUNK_DATA) {
		chunk_take(
		    chunk, connection_take_body(connection, chunk->left));
		return;
	}
	if (size > CHUNK_FRAMING_MAX)
		size = CHUNK_FRAMING_MAX;
	evbuffer_drain(held,
	    chunk_read(chunk, (char *)evbuffer_pullup(held, (ssize_t)size),
		size, limit));
}

static bool
connection_read_body(struct connection *connection)
{
	const struct chunk *chunk = &connection->chunk;
	struct http_head *frame = &connection->frame;
	bool whole;

	if (frame->chunked) {
		connection_read_chunk(connection);
		whole = chunk->state == CHUNK_WHOLE;
	} else {
		frame->body -= connection_take_body(connection, frame->body);
		whole = frame->body == 0;
	}
	if (frame->chunked && chunk->state == CHUNK_FAULT) {
		frame->error = chunk->error;
		frame->fault = chunk->fault;
		connection_refuse(connection);
	} else if (whole)
		connection_give(connection);
	return (true);
}

/* Gives evhttp of what is held as much as is its turn. */
static void
connection_read(struct connection *connection)
{
	bool more = true;

	while (more && evbuffer_get_length(connection->held) > 0) {
		switch (connection->phase) {
		case CONNECTION_SHAKES_HANDS:
		case CONNECTION_IDLE:
			memset(
			    &connection->frame, 0, sizeof(connection->frame));
			connection_enter(connection, CONNECTION_HEAD);
			break;
		case CONNECTION_HEAD:
			more = connection_read_head(connection);
			break;
		case CONNECTION_EXPECTS: /* it has not waited for 100 */
			connection_enter(connection, CONNECTION_BODY);
			break;
		case CONNECTION_BODY:
			more = connection_read_body(connection);
			break;
		default:
			more = false;
		}
	}
}

/* Counts what the connection has received and holds. */
static void
connection_weigh(struct connection *connection)
{
	struct connections *all = connection->all;

	all->received -= connection->received;
	connection->received = evbuffer_get_length(connection->held) +
	    evbuffer_get_length(connection->head) +
	    evbuffer_get_length(connection->body) +
	    connection->given * CONNECTION_REQUEST_COPIES;
	all->received += connection->received;
}

/*
 * Whether there is memory for a body that is not whole.  A part of all is kept
 * for answers, and a part of that of bodies for clients with good keys.
 */
static bool
connection_fits(const struct connection *connection)
{
	const struct connections *all = connection->all;
	const size_t memory = (size_t)all->settings->request_memory;

	return (connection->phase != CONNECTION_BODY ||
	    all->received <= memory /
		    (connection->authenticated ? CONNECTION_BODIES_SHARE
					       : CONNECTION_STRANGERS_SHARE));
}

/* Takes the last size bytes of the input away. */
static void
connection_hold(
    struct connection *connection, struct evbuffer *input, size_t size)
{
	size_t before = evbuffer_get_length(input) - size;
	struct evbuffer *front;

	if (before == 0) {
		connection_move(connection->held, input, size);
		return;
	}
	front = evbuffer_new();
	evbuffer_remove_buffer(input, front, before);
	connection_move(connection->held, input, size);
	evbuffer_add_buffer(input, front);
	evbuffer_free(front);
}

/* After a fault nothing is known to be a request, nor once evhttp is gone. */
static bool
connection_ignores(const struct connection *connection)
{
	return (connection->frame.fault != NULL ||
	    connection->phase >= CONNECTION_CUT);
}

/*
 * Called for bytes that have come, before evhttp is told of them.  While an
 * answer is sent it would take any number of them.
 */
static void
connection_received(
    struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct connection *connection = arg;
	struct connections *all = connection->all;

	if (info->n_added == 0 || connection->moving)
		return;
	connection->moving = true;
	connection_hold(connection, input, info->n_added);
	if (connection_ignores(connection))
		connection_drain(connection->held);
	connection_read(connection);
	connection_weigh(connection);
	if (!connection_fits(connection)) {
		connection->frame.error = ERROR_UNAVAILABLE;
		connection->frame.fault = "there is no memory for the body";
		connection_refuse(connection);
	}
	if (evbuffer_get_length(connection->held) > all->limits.head)
		bufferevent_disable(connection->socket, EV_READ);
	connection->moving = false;
}

/*
 * evhttp must not learn that this has been written: it would take it for the
 * end of the answer before.  It sets its callback again with the next answer.
 */
static void
connection_proceed(struct connection *connection)
{
	struct bufferevent *socket = connection->socket;
	bufferevent_data_cb read;
	bufferevent_event_cb ended;
	void *arg;

	connection_enter(connection, CONNECTION_BODY);
	bufferevent_getcb(socket, &read, NULL, &ended, &arg);
	bufferevent_setcb(socket, read, NULL, ended, arg);
	evbuffer_add(bufferevent_get_output(socket), CONNECTION_CONTINUE,
	    strlen(CONNECTION_CONTINUE));
	bufferevent_enable(socket, EV_WRITE);
}

/* Not while evhttp begins to read: it does not write then. */
static void
connections_proceed(evutil_socket_t fd, short what, void *arg)
{
	struct connections *all = arg;
	struct connection *connection;

	(void)fd;
	(void)what;
	while ((connection = TAILQ_FIRST(&all->phases[CONNECTION_EXPECTS])) !=
	    NULL)
		connection_proceed(connection);
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
static void
connection_linger(struct connection *connection)
{
	connection_enter(connection, CONNECTION_LINGERS);
	bufferevent_setcb(
	    connection->socket, NULL, NULL, connection_ended, connection);
	bufferevent_disable(connection->socket, EV_WRITE);
	bufferevent_enable(connection->socket, EV_READ);
}

static void
connections_leave(evutil_socket_t fd, short what, void *arg)
{
	struct connections *all = arg;
	struct connection *connection;

	(void)fd;
	(void)what;
	while (
	    (connection = TAILQ_FIRST(&all->phases[CONNECTION_LEFT])) != NULL)
		connection_linger(connection);
}

/* Requests ----------------------------------------------------------------- */

static void
connection_done(struct connection *connection)
{
	connection->all->busy -= connection->begun;
	connection->begun = false;
	connection->all->changed(connection->all->owner);
}

/* The first byte of an answer: from now on it is the client who is slow. */
static void
connection_answers(
    struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
	struct connection *connection = arg;
	struct connections *all = connection->all;

	(void)output;
	all->sent += info->n_added - info->n_deleted;
	connection->sent += info->n_added - info->n_deleted;
	if (info->n_added > 0 && connection->phase == CONNECTION_CALL)
		connection_enter(connection, CONNECTION_ANSWER);
}

/* All of the answer is sent; evhttp is about to read on. */
static void
connection_answered(struct evhttp_request *http, void *arg)
{
	struct connection *connection = arg;
	struct evbuffer *input = bufferevent_get_input(connection->socket);

	(void)http;
	connection->given = 0;
	if (connection->phase == CONNECTION_ANSWER &&
	    connection->frame.fault == NULL) {
		connection_enter(connection, CONNECTION_IDLE);
		connection->moving = true;
		/* A socket freezes its input again at the next byte. */
		evbuffer_unfreeze(input, 0);
		connection_read(connection);
		connection->moving = false;
	}
	connection_weigh(connection);
	connection_done(connection);
}

/* evhttp is in the middle of it: what follows has to wait for its end. */
static void
connection_left(struct evhttp_connection *http, void *arg)
{
	struct connection *connection = arg;

	(void)http;
	connection_enter(connection, CONNECTION_LEFT);
	event_active(connection->all->leave, EV_TIMEOUT, 0);
	connection_done(connection);
}

struct connection *
connections_begin(struct connections *all, struct evhttp_request *http)
{
	struct evhttp_connection *parent = evhttp_request_get_connection(http);
	struct bufferevent *socket = evhttp_connection_get_bufferevent(parent);
	struct connection *connection =
	    all->by_descriptor[bufferevent_getfd(socket)];

	connection->begun = true;
	all->busy++;
	evhttp_request_set_on_complete_cb(
	    http, connection_answered, connection);
	evhttp_connection_set_closecb(parent, connection_left, connection);
	return (connection);
}

const struct http_head *
connection_fault(const struct connection *connection)
{
	return (connection->frame.fault != NULL ? &connection->frame : NULL);
}

const char *
connection_peer(const struct connection *connection)
{
	return (connection->address);
}

void
connection_authenticated(struct connection *connection)
{
	connection->authenticated = true;
}

/* Time --------------------------------------------------------------------- */

/* evhttp takes its callbacks away when it frees what it has. */
static bool
connection_is_left(const struct connection *connection)
{
	bufferevent_event_cb callback;

	bufferevent_getcb(connection->socket, NULL, NULL, &callback, NULL);
	return (callback == NULL);
}

static void
connection_overdue(struct connection *connection)
{
	SSL *ssl = bufferevent_openssl_get_ssl(connection->socket);

	if (connection->phase == CONNECTION_LINGERS)
		connection_free(connection);
	else if (connection->phase == CONNECTION_SHAKES_HANDS &&
	    SSL_is_init_finished(ssl))
		connection_enter(connection, CONNECTION_IDLE);
	else
		connection_cut(connection);
}

/*
 * Answers take more memory than there is for them: those go whose clients take
 * the longest over them, so that others are served.
 */
static void
connections_shed(struct connections *all)
{
	struct connection_list *answers = &all->phases[CONNECTION_ANSWER];
	int64_t now = clock_microseconds() / 1000;
	struct connection *connection;
	int left;

	for (left = CONNECTION_ROOM; left > 0; left--) {
		connection = TAILQ_FIRST(answers);
		if (connection == NULL ||
		    now - connection->since < CONNECTION_FRESH_MS)
			return;
		metrics_answer_shed();
		connection_cut(connection);
	}
}

static void
connections_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct connections *all = arg;
	struct connection *connection, *next;
	int64_t now = clock_microseconds() / 1000;
	size_t phase;

	(void)fd;
	(void)what;
	for (phase = 0; phase < CONNECTION_PHASES; phase++) {
		for (connection = TAILQ_FIRST(&all->phases[phase]);
		     connection != NULL; connection = next) {
			next = TAILQ_NEXT(connection, entry);
			if (connection_is_left(connection))
				connection_linger(connection);
			else if (all->times[phase] > 0 &&
			    now - connection->since >= all->times[phase])
				connection_overdue(connection);
		}
	}
	if (connections_are_full(all))
		connections_make_room(all);
	if (connections_memory(all) > (size_t)all->settings->request_memory)
		connections_shed(all);
}

void
connections_make_room(struct connections *all)
{
	struct connection_room room = { .wanted = CONNECTION_ROOM };

	/* What is about to end makes room as well. */
	room.spared = !TAILQ_EMPTY(&all->phases[CONNECTION_CUT]) ||
	    !TAILQ_EMPTY(&all->phases[CONNECTION_LEFT]) ||
	    !TAILQ_EMPTY(&all->phases[CONNECTION_LINGERS]);
	connections_cut_all(all, &room);
}

/* All of them -------------------------------------------------------------- */

static void
connections_set_times(struct connections *all, const struct settings *settings)
{
	int64_t *times = all->times;

	times[CONNECTION_PROXY] = settings->header_timeout * 1000;
	times[CONNECTION_SHAKES_HANDS] = settings->header_timeout * 1000;
	times[CONNECTION_IDLE] = settings->idle_timeout * 1000;
	times[CONNECTION_HEAD] = settings->header_timeout * 1000;
	times[CONNECTION_EXPECTS] = settings->body_timeout * 1000;
	times[CONNECTION_BODY] = settings->body_timeout * 1000;
	times[CONNECTION_ANSWER] = settings->send_timeout * 1000;
	times[CONNECTION_LINGERS] = CONNECTION_LINGER_MS;
}

struct connections *
connections_new(struct event_base *base, const struct settings *settings,
    long most, void (*changed)(void *owner), void *owner)
{
	const struct timeval interval = { 0, CONNECTION_SWEEP_MS * 1000 };
	struct connections *all = memory_new(sizeof(*all));
	size_t phase;

	for (phase = 0; phase < CONNECTION_PHASES; phase++)
		TAILQ_INIT(&all->phases[phase]);
	all->limits.head = (size_t)settings->max_headers;
	all->limits.lines = (size_t)settings->max_header_lines;
	all->limits.body = (size_t)settings->max_body;
	all->most = (size_t)most;
	connections_set_times(all, settings);
	all->base = base;
	all->settings = settings;
	all->peers = peers_new();
	all->changed = changed;
	all->owner = owner;
	all->arrive = event_new(base, -1, 0, connections_arrive, all);
	all->leave = event_new(base, -1, 0, connections_leave, all);
	all->proceed = event_new(base, -1, 0, connections_proceed, all);
	all->sweep = event_new(base, -1, EV_PERSIST, connections_sweep, all);
	event_add(all->sweep, &interval);
	return (all);
}

void
connections_free(struct connections *all)
{
	struct connection *connection;
	size_t phase;

	if (all == NULL)
		return;
	for (phase = 0; phase < CONNECTION_PHASES; phase++) {
		while ((connection = TAILQ_FIRST(&all->phases[phase])) != NULL)
			connection_free(connection);
	}
	event_free(all->arrive);
	event_free(all->sweep);
	event_free(all->leave);
	event_free(all->proceed);
	peers_free(all->peers);
	memory_free(all->by_descriptor);
	memory_free(all);
}

void
connections_add(struct connections *all, struct bufferevent *socket)
{
	struct connection *connection = memory_new(sizeof(*connection));

	bufferevent_incref(socket);
	connection->all = all;
	connection->socket = socket;
	connection->held = evbuffer_new();
	connection->head = evbuffer_new();
	connection->body = evbuffer_new();
	connection->descriptor = -1;
	connection->phase = CONNECTION_NEW;
	connection->since = clock_microseconds() / 1000;
	TAILQ_INSERT_TAIL(&all->phases[connection->phase], connection, entry);
	all->count++;
	event_active(all->arrive, EV_TIMEOUT, 0);
	evbuffer_add_cb(
	    bufferevent_get_input(socket), connection_received, connection);
	evbuffer_add_cb(
	    bufferevent_get_output(socket), connection_answers, connection);
}

bool
connections_are_full(const struct connections *all)
{
	return (all->count >= all->most);
}

size_t
connections_count(const struct connections *connections)
{
	return (connections->count);
}

size_t
connections_memory(const struct connections *all)
{
	return (all->received + all->sent);
}

size_t
connections_busy(const struct connections *all)
{
	return (all->busy);
}
