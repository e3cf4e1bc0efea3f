/*
 * The connections to the database, and who gets one.
 */
#ifndef COFFER_POOL_H
#define COFFER_POOL_H

#include <event2/event.h>
#include <stdbool.h>

#include "base/settings.h"
#include "db/dsn.h"
#include "db/query.h"
#include "keys/keyring.h"

struct failover;
struct metrics_now;
struct newest;
struct pool;

/*
 * Starts to connect; dsn, keyring, newest and instance must outlive the pool.
 * settled is called from the loop, once: a connection serves, or a handshake
 * has said why none may.
 */
struct pool *pool_new(struct event_base *base, const struct settings *settings,
    struct dsn *dsn, struct keyring *keyring, struct newest *newest,
    const char *instance, void (*settled)(void *owner), void *owner);

/*
 * Closes all connections, and finishes each query with an error.  From now on
 * pool_run() returns false.
 */
void pool_close(struct pool *pool);

/* Frees a pool that is closed. */
void pool_free(struct pool *pool);

/* Whether at least one connection serves. */
bool pool_is_ready(const struct pool *pool);

/* Whether the server that has answered last takes writes. */
bool pool_takes_writes(const struct pool *pool);

/* Which host serves, and when it has answered; the pool's. */
struct failover *pool_failover(struct pool *pool);

/* Fills in the numbers of connections and of queries that wait. */
void pool_count(const struct pool *pool, struct metrics_now *now);

/* Why the last connection was refused; NULL: none was. */
const char *pool_fault(const struct pool *pool);

/*
 * Whether the first handshake found that the database needs a root key that is
 * not loaded; the loop has been ended then.
 */
bool pool_is_locked_out(const struct pool *pool);

/*
 * Closes all connections, because the database is found unfit.  New ones are
 * made, and serve once their handshake finds no fault.
 */
void pool_disconnect(struct pool *pool);

/*
 * Runs query at once or as soon as a connection is free.  False: no connection
 * is open, or the queue is full; done will not be called.  An internal query
 * fails after 10 seconds.
 */
bool pool_run(struct pool *pool, struct query *query)
    __attribute__((warn_unused_result));

/*
 * Forgets query: done will not be called.  A query that runs is left to run,
 * never cancelled: a cancelled write might report success without its
 * standby.  Its connection serves again once its result has come.
 */
void pool_abandon(struct query *query);

#endif
