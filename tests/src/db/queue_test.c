#include <event2/event.h>

#include "db/queue.h"
#include "tests/src/test.h"

static struct event_base *base;
static struct queue *queue;
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
	queue = queue_new(base, ready, NULL);
	readied = 0;
	finished = 0;
	finished_with = NULL;
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	queue_free(queue);
	event_base_free(base);
	return (0);
}

static void
test_first_come_first_served(void **state)
{
	struct query queries[3] = { { .done = done } };

	(void)state;
	queue_enter(queue, &queries[0], 0);
	queue_enter(queue, &queries[1], 0);
	queue_enter(queue, &queries[2], 0);
	assert_int_equal(queue_length(queue), 3);
	queue_leave(&queries[1]);
	assert_ptr_equal(queue_next(queue, QUERY_ANY), &queries[0]);
	assert_ptr_equal(queue_next(queue, QUERY_ANY), &queries[2]);
	assert_null(queue_next(queue, QUERY_ANY));
	assert_int_equal(queue_length(queue), 0);
}

static void
test_kinds(void **state)
{
	struct query queries[4] = { { .groups = true }, { .groups = false },
		{ .groups = true }, { .groups = true, .alone = true } };
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		queue_enter(queue, &queries[i], 0);
	/* Each kind keeps its order; one whose group has failed is alone. */
	assert_ptr_equal(queue_next(queue, QUERY_ALONE), &queries[1]);
	assert_ptr_equal(queue_next(queue, QUERY_ALONE), &queries[3]);
	assert_null(queue_next(queue, QUERY_ALONE));
	assert_ptr_equal(queue_next(queue, QUERY_GROUPING), &queries[0]);
	assert_ptr_equal(queue_next(queue, QUERY_ANY), &queries[2]);
	assert_int_equal(queue_length(queue), 0);
}

static void
test_a_search(void **state)
{
	struct query query = { .searches = true };

	(void)state;
	queue_enter(queue, &query, 0);
	assert_null(queue_next(queue, QUERY_ANY & ~QUERY_SEARCHING));
	assert_ptr_equal(queue_next(queue, QUERY_ANY), &query);
}

static void
test_a_list(void **state)
{
	struct query query = { .groups = true, .lists = true };

	(void)state;
	queue_enter(queue, &query, 0);
	assert_null(queue_next(queue, QUERY_ANY & ~QUERY_LISTING));
	assert_ptr_equal(queue_next(queue, QUERY_LISTING), &query);
}

static void
test_pause(void **state)
{
	struct query queries[2] = { { .done = done }, { .done = done } };

	(void)state;
	queue_enter(queue, &queries[0], 1);
	queue_enter(queue, &queries[1], 60000);
	assert_int_equal(queue_length(queue), 0);
	assert_null(queue_next(queue, QUERY_ANY));
	event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(readied, 1);
	assert_ptr_equal(queue_next(queue, QUERY_ANY), &queries[0]);
	/* One that pauses can leave, too. */
	queue_leave(&queries[1]);
	queue_dismiss(queue, true, &errors[ERROR_UNAVAILABLE]);
	assert_int_equal(finished, 0);
}

static void
test_dismiss(void **state)
{
	struct query queries[4] = { { .done = done, .in_doubt = true },
		{ .done = done }, { .done = done },
		{ .done = done, .in_doubt = true } };

	(void)state;
	queue_enter(queue, &queries[0], 0);
	queue_enter(queue, &queries[1], 0);
	queue_enter(queue, &queries[2], 60000);
	queue_enter(queue, &queries[3], 60000);
	/* Who is in doubt, or pauses, stays. */
	queue_dismiss(queue, false, &errors[ERROR_UNAVAILABLE]);
	assert_int_equal(finished, 1);
	assert_ptr_equal(finished_with, &errors[ERROR_UNAVAILABLE]);
	assert_int_equal(queue_length(queue), 1);
	queue_dismiss(queue, true, &errors[ERROR_UNAVAILABLE]);
	assert_int_equal(finished, 4);
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
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
