/*
 * What the owners of a group's queries are told once it has ended.
 */
#ifndef COFFER_OUTCOME_H
#define COFFER_OUTCOME_H

#include <stdbool.h>

#include "db/group.h"
#include "db/queue.h"

/*
 * Finishes each query of the group, or puts it back into queue to be sent
 * again; served: a connection is open.  Clears the results.
 */
void outcome_tell(struct queue *queue, struct group_end *end, bool served);

/* Nobody hears the outcome of a query that was sent: logs it, if it is a call. */
void outcome_unheard(const struct query *query);

#endif
