#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "db/group.h"

void
group_init(struct group *group, long limit)
{
	group->members =
	    memory_new_array((size_t)limit, sizeof(*group->members));
}

void
group_clear(struct group *group)
{
	memory_free(group->members);
}

static void
group_add(struct group *group, struct query *query)
{
	metrics_waited(clock_microseconds() - query->since);
	group->members[group->count].columns =
	    &statement_find(query->statement)->columns;
	group->members[group->count++].query = query;
}

void
group_gather(
    struct group *group, struct query *query, struct queue *queue, long limit)
{
	group->kind = query_kind(query);
	group_add(group, query);
	if ((group->kind & (QUERY_GROUPING | QUERY_LISTING)) == 0)
		return;
	if (group->kind == QUERY_LISTING && limit > GROUP_LISTS_MAX)
		limit = GROUP_LISTS_MAX;
	while (group->count < limit &&
	    (query = queue_next(queue, group->kind)) != NULL)
		group_add(group, query);
	metrics_group(group->count);
}

/*
 * A statement that was forgotten once is sent with its text: a pooler may give
 * it a connection of PostgreSQL where it is not prepared again and again.
 */
static void
group_send_one(struct session *session, const struct query *query)
{
	char sql[STATEMENT_SQL_SIZE];

	if (query->prepared_again)
		session_query(session, statement_sql(query->statement, sql),
		    statement_find(query->statement)->types, query->parameters,
		    query->count);
	else
		session_execute(
		    session, query->statement, query->parameters, query->count);
}

void
group_send(struct group *group, struct session *session)
{
	const struct query *query;
	long i;

	group->failed = group->malformed = false;
	for (i = 0; i < group->count; i++) {
		query = group->members[i].query;
		group_send_one(session, query);
	}
	session_sync(session);
}

/* Nothing of it is read by anybody. */
static void
group_distrust(
    struct group *group, const struct query *query, const char *fault)
{
	group->malformed = true;
	log_error("an answer of PostgreSQL is malformed",
	    log_text("id", query != NULL ? query->label : NULL),
	    log_text("statement", query != NULL ? query->statement : NULL),
	    log_text("fault", fault));
}

void
group_result(struct group *group, PGresult *result)
{
	char sqlstate[SESSION_SQLSTATE_SIZE], fault[COLUMNS_FAULT_SIZE];
	struct group_member *member = &group->members[group->results];

	if (session_sqlstate(result, sqlstate)) {
		/* What follows the first fault fails without a cause. */
		if (!group->failed)
			memcpy(group->sqlstate, sqlstate, sizeof(sqlstate));
		group->failed = true;
		columns_clear(result);
	} else if (group->results < group->count) {
		if (!columns_fit(result, member->columns, fault))
			group_distrust(group, member->query, fault);
		member->result = result;
		group->results++;
	} else {
		columns_clear(result);
	}
}

struct query *
group_first(const struct group *group)
{
	return (group->members[0].query);
}

bool
group_abandon(struct group *group, const struct query *query)
{
	bool wanted = false;
	long i;

	for (i = 0; i < group->count; i++) {
		if (group->members[i].query == query)
			group->members[i].query = NULL;
		wanted = wanted || group->members[i].query != NULL;
	}
	return (wanted);
}

void
group_end(
    struct group *group, enum group_outcome outcome, struct group_end *end)
{
	const size_t size = (size_t)group->count * sizeof(*group->members);

	end->outcome = outcome;
	end->kind = group->kind;
	memcpy(end->sqlstate, group->sqlstate, sizeof(end->sqlstate));
	end->settled = false;
	end->count = group->count;
	memcpy(end->members, group->members, size);
	memset(group->members, 0, size);
	group->kind = QUERY_NONE;
	group->count = 0;
	group->results = 0;
	group->failed = group->malformed = false;
}
