/*
 * A listening socket, and evhttp behind it.
 */
#ifndef COFFER_LISTEN_H
#define COFFER_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

struct connection;
struct event_base;
struct evhttp_request;
struct listen;
struct metrics_now;
struct settings;
struct tls;

/* Is called for each request, with the connection that it came by. */
typedef void listen_answer(
    void *owner, struct evhttp_request *evhttp, struct connection *connection);

/*
 * Holds the address of the API as settings say, where clients wait until it is
 * opened; NULL and a cause when it cannot.  Without tls it is in the clear.
 */
struct listen *listen_new(struct event_base *base,
    const struct settings *settings, struct tls *tls, listen_answer *answer,
    void *owner, char *cause, size_t size) __attribute__((warn_unused_result));

/* Takes connections from now on; instance names the daemon in the log. */
void listen_open(struct listen *listen, const char *instance);
bool listen_is_open(const struct listen *listen);

/* The same at another address, open, in the clear, for so many connections. */
struct listen *
listen_new_at(struct event_base *base, const struct settings *settings,
    const char *address, long most, listen_answer *answer, void *owner,
    char *cause, size_t size) __attribute__((warn_unused_result));

/* Frees all connections, with what has not been sent on them. */
void listen_free(struct listen *listen);

/*
 * Takes no new connection, and calls drained as soon as every request that
 * has been taken is answered to its last byte, or its client has gone.
 */
void
listen_drain(struct listen *listen, void (*drained)(void *owner), void *owner);

/* Bytes that requests and answers take; listen may be NULL: none. */
size_t listen_memory(const struct listen *listen);

/* Puts down how many connections there are, and what they take. */
void listen_count(const struct listen *listen, struct metrics_now *now);

#endif
