/*
 * What runs on a connection in one transaction: one query, or several reads.
 */
#ifndef COFFER_GROUP_H
#define COFFER_GROUP_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "db/columns.h"
#include "db/queue.h"
#include "db/session.h"

#define GROUP_MAX 256 /* members, at the most that group_limit can be */
#define GROUP_LISTS_MAX 8 /* of lists: each may take long, and all wait */

struct group_member {
	struct query *query; /* NULL: it was abandoned */
	const struct columns *columns; /* that its result must have */
	PGresult *result;
};

struct group {
	struct group_member *members;
	long count; /* of members that were sent */
	long results; /* of those that have a result */
	enum query_kind kind; /* QUERY_NONE: nothing runs */
	bool failed;
	bool malformed; /* a result is not what its statement gives */
	char sqlstate[SESSION_SQLSTATE_SIZE]; /* the first, when it failed */
};

/* Room for that many members. */
void group_init(struct group *group, long limit);
void group_clear(struct group *group);

/* What has become of a group. */
enum group_outcome {
	GROUP_ANSWERED, /* committed, each member has its result */
	GROUP_MALFORMED, /* committed, and a result is not to be trusted */
	GROUP_FAILED, /* undone, because of sqlstate */
	GROUP_UNDONE, /* undone, and then its connection was lost */
	GROUP_LOST, /* its connection was lost: committed or undone */
	GROUP_CLOSED, /* the same, because the daemon stops */
};

/* A group that has ended. */
struct group_end {
	enum group_outcome outcome;
	enum query_kind kind; /* QUERY_NONE: nothing ran */
	char sqlstate[SESSION_SQLSTATE_SIZE]; /* of GROUP_FAILED */
	bool settled; /* it was answered by the host that serves */
	long count;
	struct group_member members[GROUP_MAX]; /* the results are owned */
};

/*
 * Begins with query.  A read takes along those of its kind that wait in queue,
 * up to limit members; a list takes GROUP_LISTS_MAX at most.
 */
void group_gather(
    struct group *group, struct query *query, struct queue *queue, long limit);

/* Sends all of it, as one transaction. */
void group_send(struct group *group, struct session *session);

/* Takes the next result, and compares it with what it must be. */
void group_result(struct group *group, PGresult *result);

/* The first member; NULL: it was abandoned. */
struct query *group_first(const struct group *group);

/* Forgets query; false: nobody in the group is left who waits. */
bool group_abandon(struct group *group, const struct query *query);

/* Empties the group, with this outcome, into end. */
void group_end(
    struct group *group, enum group_outcome outcome, struct group_end *end);

#endif
