/*
 * When to move to another host of the database.
 *
 * Several hosts may take connections at once, such as a primary that hangs and
 * the standby that has taken over.  The host that serves is given up for
 * another one only if it has not answered a call meanwhile.
 */
#ifndef COFFER_FAILOVER_H
#define COFFER_FAILOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "db/query.h"
#include "db/session.h"

/* Times are of clock_microseconds(); 0: never. */
struct failover {
	int64_t answered; /* when the host that serves last answered a call */
	int64_t heard; /* when it last answered any query */
	bool read_only; /* the server that answered last takes no writes */
};

/* A query of a session has been answered by the host that serves. */
void failover_hear(struct failover *failover, const struct session *session);

/* The answer of a call is committed. */
void failover_note_answer(struct failover *failover, const struct query *query);

/*
 * Whether the host that serves has answered a call since this session began to
 * connect; or any query, which a host can do that is unable to commit.
 */
bool failover_has_answered(
    const struct failover *failover, const struct session *session);
bool failover_was_heard(
    const struct failover *failover, const struct session *session);

/*
 * Called when the handshake of a session has ended well.  True: the session's
 * host now serves in the place of another one, and all connections to that one
 * are to be given up.  False also if the other one has answered a call since:
 * it was only too busy for this session.
 */
bool failover_is_due(const struct failover *failover, struct session *session)
    __attribute__((warn_unused_result));

#endif
