#include <event2/event.h>
#include <string.h>

#include "base/log.h"
#include "db/outcome.h"
#include "tests/src/test.h"

static struct event_base *base;
static struct queue *queue;
static struct query read_query, change;
static struct group_end end;
static int told, answered;
static const struct error *error_told;

static void
done(struct query *query, const PGresult *result, const struct error *error)
{
	(void)query;
	told++;
	if (result != NULL)
		answered++;
	error_told = error;
}

static void
ready(void *owner)
{
	(void)owner;
}

static int
set_up(void **state)
{
	(void)state;
	assert_true(log_set_level("error"));
	base = event_base_new();
	queue = queue_new(base, ready, NULL);
	read_query = (struct query){ .done = done,
		.label = "read",
		.groups = true,
		.repeatable = true };
	change =
	    (struct query){ .done = done, .label = "change", .once = true };
	memset(&end, 0, sizeof(end));
	told = answered = 0;
	error_told = NULL;
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	queue_dismiss(queue, true, &errors[ERROR_UNAVAILABLE]);
	queue_free(queue);
	event_base_free(base);
	return (0);
}

/* The end of a group of both, or of the read alone, and of one abandoned. */
static void
tell(enum group_outcome outcome, long count, bool served)
{
	struct query *const queries[] = { &read_query, &change, NULL };
	long i;

	end.outcome = outcome;
	end.count = count;
	for (i = 0; i < count; i++) {
		end.members[i].query = queries[i];
		end.members[i].result =
		    PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	}
	outcome_tell(queue, &end, served);
}

static void
test_answered(void **state)
{
	(void)state;
	end.settled = true;
	tell(GROUP_ANSWERED, 3, true);
	assert_int_equal(told, 2);
	assert_int_equal(answered, 2);
	assert_null(error_told);
	assert_true(read_query.settled);
}

static void
test_malformed(void **state)
{
	(void)state;
	tell(GROUP_MALFORMED, 1, true);
	assert_ptr_equal(error_told, &errors[ERROR_INTERNAL]);
	/* The change is committed, and nobody knows what it has done. */
	tell(GROUP_MALFORMED, 3, true);
	assert_int_equal(told, 3);
	assert_int_equal(answered, 0);
	assert_ptr_equal(error_told, &errors[ERROR_IN_DOUBT]);
}

static void
test_failed_alone(void **state)
{
	(void)state;
	memcpy(end.sqlstate, "22012", 6);
	tell(GROUP_FAILED, 1, true);
	assert_ptr_equal(error_told, &errors[ERROR_INTERNAL]);
	assert_int_equal(answered, 0);
}

static void
test_failed_in_a_group(void **state)
{
	(void)state;
	memcpy(end.sqlstate, "22012", 6);
	tell(GROUP_FAILED, 3, true);
	assert_int_equal(told, 0);
	assert_true(read_query.alone);
	assert_true(change.alone);
	assert_int_equal(queue_length(queue), 2);
}

static void
test_undone(void **state)
{
	(void)state;
	tell(GROUP_UNDONE, 1, true);
	assert_int_equal(told, 0);
	assert_int_equal(queue_length(queue), 1);
	assert_false(read_query.lost_once);
	assert_ptr_equal(queue_next(queue, QUERY_ANY), &read_query);
	tell(GROUP_UNDONE, 1, false);
	assert_ptr_equal(error_told, &errors[ERROR_UNAVAILABLE]);
}

static void
test_lost(void **state)
{
	(void)state;
	tell(GROUP_LOST, 3, true);
	assert_int_equal(told, 0);
	assert_int_equal(queue_length(queue), 2);
	assert_true(read_query.lost_once);
	assert_true(change.in_doubt);
}

/* With no connection left the change waits, and the read does not. */
static void
test_all_lost(void **state)
{
	(void)state;
	tell(GROUP_LOST, 3, false);
	assert_int_equal(told, 1);
	assert_ptr_equal(error_told, &errors[ERROR_UNAVAILABLE]);
	assert_ptr_equal(queue_next(queue, QUERY_ANY), &change);
}

static void
test_closed(void **state)
{
	(void)state;
	tell(GROUP_CLOSED, 1, false);
	assert_ptr_equal(error_told, &errors[ERROR_UNAVAILABLE]);
	tell(GROUP_CLOSED, 3, false);
	assert_int_equal(told, 3);
	assert_ptr_equal(error_told, &errors[ERROR_IN_DOUBT]);
	assert_int_equal(queue_length(queue), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_answered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_malformed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_failed_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_failed_in_a_group, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_undone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_all_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_closed, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
