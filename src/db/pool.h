/*
 * The connections to the database, and the calls that wait for one.
 */
#ifndef COFFER_POOL_H
#define COFFER_POOL_H

#include <event2/event.h>
#include <stdbool.h>

#include "base/settings.h"
#include "db/dsn.h"
#include "db/query.h"
#include "keys/keyring.h"

struct metrics_now;
struct newest;
struct pool;

/*
 * Starts to connect; dsn, keyring and newest must outlive the pool.  greeted is called
 * from the loop, once: a connection serves, or the database has said why none
 * may.
 */
struct pool *pool_new(struct event_base *base, const struct settings *settings,
    struct dsn *dsn, struct keyring *keyring, struct newest *newest,
    const char *instance, void (*greeted)(void *owner), void *owner);

/*
 * Closes all connections, and gives every query that is not done its error.
 * From now on pool_run() takes none.
 */
void pool_close(struct pool *pool);

/* Frees a pool that is closed. */
void pool_free(struct pool *pool);

/* Whether at least one connection serves. */
bool pool_is_ready(const struct pool *pool);

/* Whether the server that has answered last takes writes. */
bool pool_takes_writes(const struct pool *pool);

/* The answer of a call is committed: its host serves. */
void pool_note_answer(struct pool *pool, const struct query *query);

/*
 * Whether the host that serves has answered a call since a session began; or
 * anything, which a host can do that cannot commit.
 */
bool pool_has_answered(const struct pool *pool, const struct session *session);
bool pool_has_spoken(const struct pool *pool, const struct session *session);

/*
 * For a session that was greeted: its host is to be begun with.  True: it is
 * another one than before, which has not answered anybody meanwhile, so that
 * all connections to that are to be given up; if it has, it was only too busy
 * for this one.
 */
bool pool_is_to_move(const struct pool *pool, struct session *session)
    __attribute__((warn_unused_result));

/* Puts down how many connections and calls there are. */
void pool_count(const struct pool *pool, struct metrics_now *now);

/* Why the last connection was refused; NULL: none was. */
const char *pool_fault(const struct pool *pool);

/*
 * Whether nothing has ever been served, for want of a root key that the
 * database needs: then the loop has been ended.
 */
bool pool_is_locked_out(const struct pool *pool);

/*
 * Gives up all connections, because the database is found unfit; new ones are
 * tried, and serve once their greeting finds nothing any more.
 */
void pool_disconnect(struct pool *pool);

/*
 * Runs query at once or as soon as a connection is free.  False: it cannot be
 * taken, for want of a connection or of room; done will not be called.  One
 * that is internal is abandoned after 10 seconds, and fails.
 */
bool pool_run(struct pool *pool, struct query *query)
    __attribute__((warn_unused_result));

/*
 * Forgets query: done will not be called.  What runs already is left to run,
 * never cancelled: a cancelled write might report success without its
 * standby.  Its connection serves again once its result has come.
 */
void pool_abandon(struct query *query);

#endif
