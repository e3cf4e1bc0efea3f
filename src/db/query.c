#include "db/query.h"

bool
query_is_in_doubt(const struct query *query)
{
	return (query->pool != NULL && query->once &&
	    (query->link != NULL || query->in_doubt));
}

void
query_end_deadline(struct query *query)
{
	if (query->deadline != NULL)
		event_free(query->deadline);
	query->deadline = NULL;
}

void
query_finish(
    struct query *query, const PGresult *result, const struct error *error)
{
	if (error == &errors[ERROR_UNAVAILABLE] && query->in_doubt)
		error = &errors[ERROR_IN_DOUBT];
	query->pool = NULL;
	query->link = NULL;
	query_end_deadline(query);
	query->done(query, result, error);
}

enum query_kind
query_kind(const struct query *query)
{
	const bool groups = query->groups && !query->alone;

	/* A list whose group has failed goes alone, and still holds up nobody. */
	if (query->searches || (query->lists && !groups))
		return (QUERY_SEARCHING);
	if (query->lists)
		return (QUERY_LISTING);
	return (groups ? QUERY_GROUPING : QUERY_ALONE);
}
