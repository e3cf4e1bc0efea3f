#include <event2/event.h>

#include "db/query.h"
#include "tests/src/test.h"

static struct event_base *base;
static struct query_line *line;
static int readied;
static int finished;
static const struct error *finished_with;

static void
ready(void *owner)
{
	(void)owner;
	readied++;
}

static void
done(struct query *query, const PGresult *result, const struct error *error)
{
	assert_null(query->pool);
	assert_null(result);
	finished++;
	finished_with = error;
}

static int
set_up(void **state)
{
	(void)state;
	base = event_base_new();
	line = query_line_new(base, ready, NULL);
	readied = 0;
	finished = 0;
	finished_with = NULL;
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	query_line_free(line);
	event_base_free(base);
	return (0);
}

static void
test_first_come_first_served(void **state)
{
	struct query queries[3] = { { .done = done } };

	(void)state;
	query_line_enter(line, &queries[0], 0);
	query_line_enter(line, &queries[1], 0);
	query_line_enter(line, &queries[2], 0);
	assert_int_equal(query_line_length(line), 3);
	query_line_leave(&queries[1]);
	assert_ptr_equal(query_line_next(line, QUERY_ANY), &queries[0]);
	assert_ptr_equal(query_line_next(line, QUERY_ANY), &queries[2]);
	assert_null(query_line_next(line, QUERY_ANY));
	assert_int_equal(query_line_length(line), 0);
}

static void
test_kinds(void **state)
{
	struct query queries[4] = { { .groups = true }, { .groups = false },
		{ .groups = true }, { .groups = true, .alone = true } };
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		query_line_enter(line, &queries[i], 0);
	/* Each kind keeps its order; one whose group has failed is alone. */
	assert_ptr_equal(query_line_next(line, QUERY_ALONE), &queries[1]);
	assert_ptr_equal(query_line_next(line, QUERY_ALONE), &queries[3]);
	assert_null(query_line_next(line, QUERY_ALONE));
	assert_ptr_equal(query_line_next(line, QUERY_GROUPING), &queries[0]);
	assert_ptr_equal(query_line_next(line, QUERY_ANY), &queries[2]);
	assert_int_equal(query_line_length(line), 0);
}

static void
test_a_search(void **state)
{
	struct query query = { .searches = true };

	(void)state;
	query_line_enter(line, &query, 0);
	assert_null(query_line_next(line, QUERY_ANY & ~QUERY_SEARCHING));
	assert_ptr_equal(query_line_next(line, QUERY_ANY), &query);
}

static void
test_a_list(void **state)
{
	struct query query = { .groups = true, .lists = true };

	(void)state;
	query_line_enter(line, &query, 0);
	assert_null(query_line_next(line, QUERY_ANY & ~QUERY_LISTING));
	assert_ptr_equal(query_line_next(line, QUERY_LISTING), &query);
	/* Alone, it still looks at as many rows: it must not use any seat. */
	query.alone = true;
	assert_int_equal(query_kind(&query), QUERY_SEARCHING);
	query.alone = false;
	query.groups = false;
	assert_int_equal(query_kind(&query), QUERY_SEARCHING);
}

static void
test_pause(void **state)
{
	struct query queries[2] = { { .done = done }, { .done = done } };

	(void)state;
	query_line_enter(line, &queries[0], 1);
	query_line_enter(line, &queries[1], 60000);
	assert_int_equal(query_line_length(line), 0);
	assert_null(query_line_next(line, QUERY_ANY));
	event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(readied, 1);
	assert_ptr_equal(query_line_next(line, QUERY_ANY), &queries[0]);
	/* One that pauses can leave, too. */
	query_line_leave(&queries[1]);
	query_line_dismiss(line, true, &errors[ERROR_UNAVAILABLE]);
	assert_int_equal(finished, 0);
}

static void
test_dismiss(void **state)
{
	struct query queries[4] = { { .done = done, .in_doubt = true },
		{ .done = done }, { .done = done },
		{ .done = done, .in_doubt = true } };

	(void)state;
	query_line_enter(line, &queries[0], 0);
	query_line_enter(line, &queries[1], 0);
	query_line_enter(line, &queries[2], 60000);
	query_line_enter(line, &queries[3], 60000);
	/* Who is in doubt, or pauses, stays. */
	query_line_dismiss(line, false, &errors[ERROR_UNAVAILABLE]);
	assert_int_equal(finished, 1);
	assert_ptr_equal(finished_with, &errors[ERROR_UNAVAILABLE]);
	assert_int_equal(query_line_length(line), 1);
	query_line_dismiss(line, true, &errors[ERROR_UNAVAILABLE]);
	assert_int_equal(finished, 4);
}

static void
test_change_in_doubt(void **state)
{
	struct query query = { .done = done, .once = true };

	(void)state;
	/* In nobody's hands, waiting for its turn, running, waiting again. */
	assert_false(query_is_in_doubt(&query));
	query.pool = (struct pool *)&query;
	assert_false(query_is_in_doubt(&query));
	query.seat = (struct pool_seat *)&query;
	assert_true(query_is_in_doubt(&query));
	query.once = false;
	assert_false(query_is_in_doubt(&query));
	query.once = true;
	query.seat = NULL;
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
		cmocka_unit_test_setup_teardown(
		    test_first_come_first_served, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kinds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_a_search, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_list, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pause, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_dismiss, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_change_in_doubt, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
