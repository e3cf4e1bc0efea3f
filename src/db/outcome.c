#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "db/outcome.h"
#include "db/retry.h"

/*
 * The call may be committed, with its audit row, and nobody gets the receipt:
 * without this line that row would look forged.
 */
void
outcome_unheard(const struct query *query)
{
	/* The label of a call is its id; other statements have no receipt. */
	if (strlen(query->label) == UTF8_UUID_SIZE - 1)
		log_evidence("outcome not heard", log_text("id", query->label));
}

/*
 * Nobody has been answered.  Each member of a larger group is sent alone, so
 * that one fault harms one call.
 */
static void
outcome_failed(struct queue *queue, struct query *query,
    const struct group_end *end, bool served)
{
	if (end->count == 1)
		return (
		    retry_failed(queue, query, retry_sqlstate(end->sqlstate)));
	query->alone = true;
	retry_again(queue, query, served);
}

static void
outcome_tell_one(struct queue *queue, struct query *query,
    const PGresult *result, const struct group_end *end, bool served)
{
	if (end->outcome != GROUP_ANSWERED && end->outcome != GROUP_FAILED)
		outcome_unheard(query);
	switch (end->outcome) {
	case GROUP_ANSWERED:
		query->settled = end->settled;
		return (query_finish(query, result, NULL));
	case GROUP_MALFORMED:
		return (query_finish(query, NULL,
		    &errors[query->once ? ERROR_IN_DOUBT : ERROR_INTERNAL]));
	case GROUP_FAILED:
		return (outcome_failed(queue, query, end, served));
	case GROUP_UNDONE:
		return (retry_again(queue, query, served));
	case GROUP_LOST:
		return (retry_in_doubt(queue, query, served));
	case GROUP_CLOSED:
		query->in_doubt = query->once;
		return (query_finish(query, NULL, &errors[ERROR_UNAVAILABLE]));
	}
}

void
outcome_tell(struct queue *queue, struct group_end *end, bool served)
{
	struct group_member *member;
	long i;

	for (i = 0; i < end->count; i++) {
		member = &end->members[i];
		/* An abandoned query may be freed, but has left its result. */
		if (member->query != NULL)
			outcome_tell_one(
			    queue, member->query, member->result, end, served);
		columns_clear(member->result);
	}
}
