/*
 * The connections of a listener: their number, their deadlines, and which of
 * them end when there are too many.
 *
 * evhttp parses and answers; but it does not count, its only time limit starts
 * anew with each byte, and it takes a faulty request for a sound one.  So each
 * connection (connection.h) stands between the socket and evhttp.
 */
#ifndef COFFER_CONNECTIONS_H
#define COFFER_CONNECTIONS_H

#include <event2/bufferevent.h>
#include <event2/http.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/settings.h"

struct connection;
struct connections;

/*
 * At most so many.  Calls changed when a connection has ended, or has answered
 * its request.
 */
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

/* Whether there are as many as there may be. */
bool connections_are_full(const struct connections *connections);

/* How many there are. */
size_t connections_count(const struct connections *connections);

/* How many of them have a request that is not answered to its last byte. */
size_t connections_busy(const struct connections *connections);

/* Bytes that their requests and answers take, about. */
size_t connections_memory(const struct connections *connections);

/* Ends some connections (room.h). */
void connections_make_room(struct connections *connections);

#endif
