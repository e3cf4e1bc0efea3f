#include <event2/event.h>

#include "db/retry.h"
#include "tests/src/test.h"

static struct event_base *base;
static struct queue *queue;
static const struct error *told; /* the error that the query has got */

static void
ready(void *owner)
{
	(void)owner;
}

static void
done(struct query *query, const PGresult *result, const struct error *error)
{
	(void)query;
	assert_null(result);
	told = error;
}

static int
set_up(void **state)
{
	(void)state;
	base = event_base_new();
	queue = queue_new(base, ready, NULL);
	told = NULL;
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
test_jitter(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		assert_in_range(retry_jitter(1000), 750, 1250);
	assert_int_equal(retry_jitter(0), 0);
}

static void
test_sqlstate(void **state)
{
	(void)state;
	assert_int_equal(retry_sqlstate("40001")->remedy, REMEDY_AGAIN);
	assert_int_equal(retry_sqlstate("XX000")->remedy, REMEDY_AGAIN_FAULT);
	assert_int_equal(retry_sqlstate("42883")->remedy, REMEDY_AGAIN_FAULT);
	assert_int_equal(retry_sqlstate("08006")->remedy, REMEDY_RECONNECT);
	assert_int_equal(retry_sqlstate("22012")->remedy, REMEDY_NONE);
	assert_int_equal(retry_sqlstate("")->remedy, REMEDY_NONE);
}

static void
test_again(void **state)
{
	struct query query = { .done = done };

	(void)state;
	retry_again(queue, &query, true);
	assert_ptr_equal(queue_next(queue, QUERY_ANY), &query);
	assert_null(told);
	retry_again(queue, &query, false);
	assert_int_equal(queue_length(queue), 0);
	assert_ptr_equal(told, &errors[ERROR_UNAVAILABLE]);
}

/* A change waits, even for a connection that nobody has. */
static void
test_change_in_doubt(void **state)
{
	struct query query = { .done = done, .once = true };
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		retry_in_doubt(queue, &query, false);
		assert_true(query.in_doubt);
		assert_ptr_equal(queue_next(queue, QUERY_ANY), &query);
	}
	assert_null(told);
}

static void
test_read_in_doubt(void **state)
{
	struct query query = { .done = done, .repeatable = true };

	(void)state;
	retry_in_doubt(queue, &query, true);
	assert_ptr_equal(queue_next(queue, QUERY_ANY), &query);
	assert_null(told);
	retry_in_doubt(queue, &query, true);
	assert_int_equal(queue_length(queue), 0);
	assert_ptr_equal(told, &errors[ERROR_UNAVAILABLE]);
}

static void
test_what_may_not_be_repeated_in_doubt(void **state)
{
	struct query query = { .done = done };

	(void)state;
	retry_in_doubt(queue, &query, true);
	assert_int_equal(queue_length(queue), 0);
	assert_ptr_equal(told, &errors[ERROR_UNAVAILABLE]);
}

/* How often it can be sent again; the last time it is told. */
static int
repeats(struct query *query, const char *sqlstate)
{
	const struct error_sqlstate *state = retry_sqlstate(sqlstate);
	int count = 0;

	told = NULL;
	query->repeats = 0;
	for (;;) {
		retry_failed(queue, query, state);
		if (told != NULL || count == 100)
			return (count);
		count++;
		/* It waits for its moment, and not for a connection. */
		assert_int_equal(queue_length(queue), 0);
		assert_non_null(query->pause);
		queue_leave(query);
	}
}

static void
test_failed(void **state)
{
	struct query query = { .done = done };

	(void)state;
	assert_int_equal(repeats(&query, "40001"), 3);
	assert_ptr_equal(told, &errors[ERROR_UNAVAILABLE]);
	assert_int_equal(repeats(&query, "XX000"), 10);
	assert_ptr_equal(told, &errors[ERROR_INTERNAL]);
	assert_int_equal(repeats(&query, "57014"), 0);
	assert_ptr_equal(told, &errors[ERROR_UNAVAILABLE]);
	assert_int_equal(repeats(&query, "22012"), 0);
	assert_ptr_equal(told, &errors[ERROR_INTERNAL]);
	/* It may have been done before: that it fails now says nothing. */
	query.in_doubt = true;
	assert_int_equal(repeats(&query, "40001"), 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_sqlstate),
		cmocka_unit_test_setup_teardown(test_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_change_in_doubt, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_read_in_doubt, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_what_may_not_be_repeated_in_doubt, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failed, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
