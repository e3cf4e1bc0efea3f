/*
 * What runs on a connection in one transaction: one query, or several reads.
 */
#ifndef COFFER_GROUP_H
#define COFFER_GROUP_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "db/columns.h"
#include "db/query.h"
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

/*
 * Begins with query; a read takes along what waits in line of its kind, up to
 * limit, and a list up to GROUP_LISTS_MAX of these.
 */
void group_gather(struct group *group, struct query *query,
    struct query_line *line, long limit);

/* Sends all of it, as one transaction. */
void group_send(struct group *group, struct session *session);

/* Takes the next result, and compares it with what it must be. */
void group_result(struct group *group, PGresult *result);

/* The first member; NULL: it was abandoned. */
struct query *group_first(const struct group *group);

/* Forgets query; false: nobody in the group is left who waits. */
bool group_abandon(struct group *group, const struct query *query);

/*
 * Nothing runs any more: who did is copied to members, as many as is returned,
 * with the results that there are, which are the caller's to clear.
 */
long group_empty(struct group *group, struct group_member members[GROUP_MAX]);

#endif
