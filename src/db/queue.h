/*
 * Queries that wait: for a connection, or for a pause to end before they are
 * sent again.
 */
#ifndef COFFER_QUEUE_H
#define COFFER_QUEUE_H

#include <event2/event.h>
#include <stdbool.h>

#include "base/errors.h"
#include "db/query.h"

struct queue;

/* ready is called when a pause has ended and its query waits for a connection. */
struct queue *
queue_new(struct event_base *base, void (*ready)(void *owner), void *owner);
void queue_free(struct queue *queue);

/* The number of queries that wait for a connection. */
long queue_length(const struct queue *queue);

/* Adds query at the end, after a pause unless milliseconds is 0. */
void queue_enter(struct queue *queue, struct query *query, long milliseconds);

/*
 * Removes and returns the first query of these kinds that waits for a
 * connection; NULL: there is none.
 */
struct query *queue_next(struct queue *queue, enum query_kind kinds);

/* Removes query, which may wait for a connection or for its pause. */
void queue_leave(struct query *query);

/*
 * Removes queries and finishes each with this error: all of them, or those that
 * wait for a connection and are not in doubt.
 */
void queue_dismiss(struct queue *queue, bool all, const struct error *error);

#endif
