#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/methods.h"
#include "base/metrics.h"
#include "base/settings.h"
#include "base/systemd.h"
#include "http/connections.h"
#include "http/listen.h"
#include "http/tls.h"

#define LISTEN_BACKLOG 1024
/* Until accepting is tried again, when there were no descriptors left. */
#define LISTEN_PAUSE_MS 200

struct listen {
	LIST_ENTRY(listen) entry;
	struct tls *tls; /* NULL: it speaks in the clear */
	listen_answer *answer;
	void *owner; /* of answer */
	struct evhttp *http;
	struct connections *connections;
	struct evconnlistener *listener; /* evhttp's to free */
	struct evhttp_bound_socket *bound;
	struct event *resume;
	bool closed; /* not opened yet */
	bool paused; /* until resume */
	void (*drained)(void *owner);
	void *drained_owner;
};

/* evhttp makes itself the argument of all callbacks of its listeners. */
static LIST_HEAD(, listen) listen_all = LIST_HEAD_INITIALIZER(listen_all);

static struct listen *
listen_of(const struct evconnlistener *listener)
{
	struct listen *listen;

	LIST_FOREACH (listen, &listen_all, entry) {
		if (listen->listener == listener)
			break;
	}
	return (listen);
}

/* At the cap new connections wait in the queue of the system. */
static void
listen_accept_or_not(struct listen *listen)
{
	if (listen->listener == NULL)
		return;
	if (listen->closed || listen->paused ||
	    connections_are_full(listen->connections))
		evconnlistener_disable(listen->listener);
	else
		evconnlistener_enable(listen->listener);
}

static void
listen_check_drained(struct listen *listen)
{
	if (listen->drained != NULL &&
	    connections_busy(listen->connections) == 0)
		listen->drained(listen->drained_owner);
}

static void
listen_connections_changed(void *owner)
{
	struct listen *listen = owner;

	listen_accept_or_not(listen);
	listen_check_drained(listen);
}

/*
 * evhttp does not read on while a request is pending, and must not be made
 * to: it ends the process when a byte comes then.  So it is not noticed when
 * a client goes; the reply is sent all the same, and evhttp frees it.
 */
static void
listen_request(struct evhttp_request *http, void *arg)
{
	struct listen *listen = arg;

	listen->answer(
	    listen->owner, http, connections_begin(listen->connections, http));
}

static struct bufferevent *
listen_connection(struct event_base *base, void *arg)
{
	struct listen *listen = arg;
	struct bufferevent *socket = listen->tls != NULL
	    ? tls_socket(listen->tls, base)
	    : bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

	connections_add(listen->connections, socket);
	listen_accept_or_not(listen);
	return (socket);
}

/* Without a pause the loop would do nothing but fail to accept. */
static void
listen_failed(struct evconnlistener *listener, void *arg)
{
	struct listen *listen = listen_of(listener);
	struct timeval time = { 0, LISTEN_PAUSE_MS * 1000 };

	(void)arg;
	log_warning("unable to accept a connection",
	    log_text("cause", strerror(errno)));
	connections_make_room(listen->connections);
	listen->paused = true;
	listen_accept_or_not(listen);
	evtimer_add(listen->resume, &time);
}

static void
listen_resume(evutil_socket_t fd, short what, void *arg)
{
	struct listen *listen = arg;

	(void)fd;
	(void)what;
	listen->paused = false;
	listen_accept_or_not(listen);
}

/* A socket that was passed has an address of which no setting knows. */
static void
listen_log(const struct listen *listen, const char *instance)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	char host[NI_MAXHOST] = "", port[NI_MAXSERV] = "";

	if (getsockname(evconnlistener_get_fd(listen->listener),
		(struct sockaddr *)&address, &size) == 0)
		getnameinfo((struct sockaddr *)&address, size, host,
		    sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	log_info("listening", log_text("address", host), log_text("port", port),
	    log_text("instance", instance));
}

static struct evhttp *
listen_http(struct listen *listen, struct event_base *base,
    const struct settings *settings)
{
	struct evhttp *http = evhttp_new(base);

	/* All that it can read, so that their refusal has our form. */
	evhttp_set_allowed_methods(http, methods_all());
	/* feed.c has seen to these, and phase.c to all times. */
	evhttp_set_max_headers_size(http, settings->max_headers);
	evhttp_set_max_body_size(http, settings->max_body);
	evhttp_set_default_content_type(http, NULL);
	evhttp_set_bevcb(http, listen_connection, listen);
	evhttp_set_gencb(http, listen_request, listen);
	return (http);
}

#define LISTEN_FLAGS \
	(LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE)

static struct evconnlistener *
listen_bind(struct event_base *base, const char *text, char *cause, size_t size)
{
	struct sockaddr_storage address;
	int length = sizeof(address);
	struct evconnlistener *listener;

	/* That it is an address was seen when it was loaded. */
	evutil_parse_sockaddr_port(text, (struct sockaddr *)&address, &length);
	listener = evconnlistener_new_bind(base, NULL, NULL, LISTEN_FLAGS,
	    LISTEN_BACKLOG, (struct sockaddr *)&address, length);
	if (listener == NULL)
		snprintf(cause, size, "unable to listen on %s: %s", text,
		    strerror(errno));
	return (listener);
}

/* On the socket that was passed, or else on one of its own. */
static struct evconnlistener *
listen_take(struct event_base *base, const struct settings *settings,
    char *cause, size_t size)
{
	int socket;

	if (!systemd_socket(&socket, cause, size))
		return (NULL);
	if (socket >= 0)
		return (evconnlistener_new(
		    base, NULL, NULL, LISTEN_FLAGS, LISTEN_BACKLOG, socket));
	return (listen_bind(base, settings->listen, cause, size));
}

/*
 * Accepted sockets inherit it.  evhttp writes a long reply in pieces, and the
 * last one would wait until the client's kernel acknowledges the one before,
 * for which it takes its time: 40 ms.
 */
static void
listen_without_delay(struct evconnlistener *listener)
{
	const int on = 1;

	if (setsockopt(evconnlistener_get_fd(listener), IPPROTO_TCP,
		TCP_NODELAY, &on, sizeof(on)) != 0)
		log_warning("unable to send without delay",
		    log_text("cause", strerror(errno)));
}

static struct listen *
listen_start(struct event_base *base, const struct settings *settings,
    struct evconnlistener *listener, long most)
{
	struct listen *listen = memory_new(sizeof(*listen));

	listen_without_delay(listener);
	listen->listener = listener;
	listen->resume = evtimer_new(base, listen_resume, listen);
	listen->connections = connections_new(
	    base, settings, most, listen_connections_changed, listen);
	listen->http = listen_http(listen, base, settings);
	listen->bound = evhttp_bind_listener(listen->http, listener);
	LIST_INSERT_HEAD(&listen_all, listen, entry);
	evconnlistener_set_error_cb(listener, listen_failed);
	return (listen);
}

struct listen *
listen_new(struct event_base *base, const struct settings *settings,
    struct tls *tls, listen_answer *answer, void *owner, char *cause,
    size_t size)
{
	struct evconnlistener *listener =
	    listen_take(base, settings, cause, size);
	struct listen *listen;

	if (listener == NULL)
		return (NULL);
	listen =
	    listen_start(base, settings, listener, settings->max_connections);
	listen->tls = tls;
	listen->answer = answer;
	listen->owner = owner;
	listen->closed = true;
	listen_accept_or_not(listen);
	return (listen);
}

void
listen_open(struct listen *listen, const char *instance)
{
	listen->closed = false;
	listen_accept_or_not(listen);
	listen_log(listen, instance);
}

bool
listen_is_open(const struct listen *listen)
{
	return (!listen->closed);
}

struct listen *
listen_new_at(struct event_base *base, const struct settings *settings,
    const char *address, long most, listen_answer *answer, void *owner,
    char *cause, size_t size)
{
	struct evconnlistener *listener =
	    listen_bind(base, address, cause, size);
	struct listen *listen;

	if (listener == NULL)
		return (NULL);
	listen = listen_start(base, settings, listener, most);
	listen->answer = answer;
	listen->owner = owner;
	return (listen);
}

void
listen_drain(struct listen *listen, void (*drained)(void *owner), void *owner)
{
	evtimer_del(listen->resume);
	evhttp_del_accept_socket(listen->http, listen->bound);
	listen->listener = NULL;
	listen->bound = NULL;
	listen->drained = drained;
	listen->drained_owner = owner;
	listen_check_drained(listen);
}

size_t
listen_memory(const struct listen *listen)
{
	return (listen != NULL ? connections_memory(listen->connections) : 0);
}

void
listen_count(const struct listen *listen, struct metrics_now *now)
{
	now->connections = connections_count(listen->connections);
	now->busy = connections_busy(listen->connections);
	now->memory = connections_memory(listen->connections);
}

void
listen_free(struct listen *listen)
{
	if (listen == NULL)
		return;
	LIST_REMOVE(listen, entry);
	listen->drained = NULL;
	listen->listener = NULL;
	evhttp_free(listen->http);
	connections_free(listen->connections);
	event_free(listen->resume);
	memory_free(listen);
}
