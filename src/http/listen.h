/*
 * A listening socket, and evhttp behind it.
 */
#ifndef COFFER_LISTEN_H
#define COFFER_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

struct connection;
struct evhttp_request;
struct listen;
struct metrics_now;
struct service;

/* Is called for each request, with the connection that it came by. */
typedef void listen_answer(struct service *service, struct evhttp_request *http,
    struct connection *connection);

/*
 * Holds the address of the API as settings say, where clients wait until it is
 * opened; NULL and a cause when it cannot.
 */
struct listen *listen_new(struct service *service, char *cause, size_t size)
    __attribute__((warn_unused_result));

/* Takes connections from now on. */
void listen_open(struct listen *listen);
bool listen_is_open(const struct listen *listen);

/* The same at another address, open, in the clear, for so many connections. */
struct listen *listen_new_at(struct service *service, const char *address,
    long most, listen_answer *answer, char *cause, size_t size)
    __attribute__((warn_unused_result));

/* Frees all connections, with what has not been sent on them. */
void listen_free(struct listen *listen);

/*
 * Takes no new connection, and calls drained as soon as every request that
 * has been taken is answered to its last byte, or its client has gone.
 */
void listen_drain(struct listen *listen, void (*drained)(struct service *));

/* Bytes that requests and answers take; listen may be NULL: none. */
size_t listen_memory(const struct listen *listen);

/* Puts down how many connections there are, and what they take. */
void listen_count(const struct listen *listen, struct metrics_now *now);

#endif
