/*
 * The connections of clients: how many there are, what each of them is doing,
 * and until when it must have done it.
 *
 * evhttp parses and answers; but it does not count, its only time limit starts
 * anew with each byte, and it takes a faulty request for a sound one.  So each
 * connection is watched from below: evhttp is given one request at a time,
 * when its head is whole and sound (http_head.h).
 */
#ifndef COFFER_CONNECTION_H
#define COFFER_CONNECTION_H

#include <event2/bufferevent.h>
#include <event2/http.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/settings.h"
#include "http/http_head.h"

struct connection;
struct connections;

/* At most so many; changed: one has ended, or has answered its request. */
struct connections *
connections_new(struct event_base *base, const struct settings *settings,
    long most, void (*changed)(void *owner), void *owner);

/* Ends all of them; to be called when evhttp has none any more. */
void connections_free(struct connections *connections);

/* Takes charge of a bufferevent that evhttp is to be given as well. */
void
connections_add(struct connections *connections, struct bufferevent *socket);

/*
 * Takes note of a request that evhttp has read.  Returns the connection that it
 * came by, valid until it is answered.
 */
struct connection *
connections_begin(struct connections *connections, struct evhttp_request *http);

/* What is wrong with the request; NULL: nothing. */
const struct http_head *connection_fault(const struct connection *connection);

/*
 * The address that the connection comes from, or that a trusted proxy has
 * named as its client in the PROXY protocol; empty for a socket without one.
 */
const char *connection_peer(const struct connection *connection);

/* The key of its request is good.  Such connections are closed last. */
void connection_authenticated(struct connection *connection);

/* Whether there are as many as there may be. */
bool connections_are_full(const struct connections *connections);

/* How many there are. */
size_t connections_count(const struct connections *connections);

/* How many of them have a request that is not answered to its last byte. */
size_t connections_busy(const struct connections *connections);

/* Bytes that their requests and answers take, about. */
size_t connections_memory(const struct connections *connections);

/*
 * Ends some connections: first of those that no good key has come by, then of
 * those that wait for their next request, the oldest first.
 */
void connections_make_room(struct connections *connections);

#endif
