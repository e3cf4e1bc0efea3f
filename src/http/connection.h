/*
 * One connection of a client, between its bufferevent and evhttp: it moves from
 * phase to phase (phase.h) as bytes arrive and answers leave, and gives evhttp
 * its requests (feed.h).
 */
#ifndef COFFER_CONNECTION_H
#define COFFER_CONNECTION_H

#include <event2/bufferevent.h>
#include <event2/http.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "base/settings.h"
#include "http/fd_table.h"
#include "http/feed.h"
#include "http/http_head.h"
#include "http/peer.h"
#include "http/phase.h"
#include "http/usage.h"

/* With the scope of a link-local address. */
#define CONNECTION_PEER_SIZE (ADDRESS_TEXT_SIZE + 16)

struct proxy_socket;

/* What the connections of a listener share (connections.c). */
struct connections {
	struct event_base *base;
	const struct settings *settings;
	struct http_head_limits limits;
	struct peers *peers;
	struct phases phases;
	struct usage usage;
	struct fd_table descriptors; /* which connection has each */
	struct event *arrive; /* some are in PHASE_NEW, ... */
	struct event *proceed; /* ... in PHASE_EXPECTS, ... */
	struct event *leave; /* ... in PHASE_LEFT */
	struct event *sweep;
	size_t count;
	size_t most;
	size_t busy;
	void (*changed)(void *owner);
	void *owner;
};

struct connection {
	struct phase_member member; /* the first, for connection_of */
	struct connections *all;
	struct bufferevent *socket; /* evhttp has it too, until it lets go */
	evutil_socket_t descriptor; /* -1: it has none yet */
	char address[CONNECTION_PEER_SIZE];
	struct proxy_socket *proxy; /* in PHASE_PROXY */
	struct feed feed;
	struct usage_share usage;
	bool begun; /* evhttp has read a request that is not answered */
	bool moving; /* bytes, from one buffer to the other */
};

/* Takes charge of a bufferevent without a socket, in PHASE_NEW. */
struct connection *
connection_new(struct connections *all, struct bufferevent *socket);
void connection_free(struct connection *connection);

static inline struct connection *
connection_of(struct phase_member *member)
{
	return ((struct connection *)member);
}

/*
 * evhttp has given the bufferevent its socket: learns the address, and refuses
 * a connection that is one too many of it.
 */
void connection_arrive(struct connection *connection);

/* Shuts it down; evhttp reads the end of the stream, and frees its side. */
void connection_cut(struct phase_member *member);

/* Sends 100, for which the client waits. */
void connection_proceed(struct connection *connection);

/* evhttp has read a request of it, and has not answered it yet. */
void
connection_begin(struct connection *connection, struct evhttp_request *http);

/* Whether evhttp has freed its side without a word. */
bool connection_is_left(const struct connection *connection);

/* evhttp has freed its side: waits for the client to read its answer. */
void connection_linger(struct connection *connection);

/* The time of its phase is over. */
void connection_overdue(struct connection *connection);

/* What is wrong with the request; NULL: nothing. */
const struct http_head *connection_fault(const struct connection *connection);

/*
 * The address that the connection comes from, or that a trusted proxy has
 * named as its client in the PROXY protocol; empty for a socket without one.
 */
const char *connection_peer(const struct connection *connection);

/* Its call was authenticated.  Such connections are cut last (room.h). */
void connection_authenticated(struct connection *connection);

#endif
