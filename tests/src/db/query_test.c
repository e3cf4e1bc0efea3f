#include "db/query.h"
#include "tests/src/test.h"

static const struct error *finished_with;

static void
done(struct query *query, const PGresult *result, const struct error *error)
{
	(void)query;
	(void)result;
	finished_with = error;
}

static void
test_kinds(void **state)
{
	struct query query = { .groups = false };

	(void)state;
	assert_int_equal(query_kind(&query), QUERY_ALONE);
	query.groups = true;
	assert_int_equal(query_kind(&query), QUERY_GROUPING);
	query.lists = true;
	assert_int_equal(query_kind(&query), QUERY_LISTING);
	/* Alone, a list still looks at as many rows: it is a search. */
	query.alone = true;
	assert_int_equal(query_kind(&query), QUERY_SEARCHING);
	query.alone = false;
	query.groups = false;
	assert_int_equal(query_kind(&query), QUERY_SEARCHING);
	query = (struct query){ .searches = true };
	assert_int_equal(query_kind(&query), QUERY_SEARCHING);
	query = (struct query){ .groups = true, .alone = true };
	assert_int_equal(query_kind(&query), QUERY_ALONE);
}

static void
test_change_in_doubt(void **state)
{
	struct query query = { .done = done, .once = true };

	(void)state;
	/* In nobody's hands, in the queue, running, waiting again. */
	assert_false(query_is_in_doubt(&query));
	query.pool = (struct pool *)&query;
	assert_false(query_is_in_doubt(&query));
	query.link = (struct link *)&query;
	assert_true(query_is_in_doubt(&query));
	query.once = false;
	assert_false(query_is_in_doubt(&query));
	query.once = true;
	query.link = NULL;
	query.in_doubt = true;
	assert_true(query_is_in_doubt(&query));

	query_finish(&query, NULL, &errors[ERROR_UNAVAILABLE]);
	assert_ptr_equal(finished_with, &errors[ERROR_IN_DOUBT]);
	query_finish(&query, NULL, &errors[ERROR_INTERNAL]);
	assert_ptr_equal(finished_with, &errors[ERROR_INTERNAL]);
	query.in_doubt = false;
	query_finish(&query, NULL, &errors[ERROR_UNAVAILABLE]);
	assert_ptr_equal(finished_with, &errors[ERROR_UNAVAILABLE]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_change_in_doubt),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
