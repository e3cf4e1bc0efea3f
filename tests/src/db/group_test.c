#include <event2/event.h>
#include <string.h>

#include "db/group.h"
#include "tests/src/result.h"

#define LIMIT 3

static struct event_base *base;
static struct queue *queue;
static struct group group;
static struct query reads[5], change;

/* What a call that its API function refuses gives: one row. */
static PGresult *
answer_new(void)
{
	PGresult *result = result_new(&statement_api.columns);

	result_set(result, 0, 0, "\1\221", 2);
	result_set(result, 0, 1, "{}", 2);
	assert_int_equal(PQsetvalue(result, 0, 2, NULL, -1), 1);
	assert_int_equal(PQsetvalue(result, 0, 3, NULL, -1), 1);
	return (result);
}

static long
end_group(struct group_end *end)
{
	group_end(&group, GROUP_ANSWERED, end);
	return (end->count);
}

static void
ready(void *owner)
{
	(void)owner;
}

static int
set_up(void **state)
{
	size_t i;

	(void)state;
	base = event_base_new();
	queue = queue_new(base, ready, NULL);
	memset(&group, 0, sizeof(group));
	group_init(&group, LIMIT);
	for (i = 0; i < sizeof(reads) / sizeof(reads[0]); i++)
		reads[i] =
		    (struct query){ .statement = "secret_get", .groups = true };
	change = (struct query){ .statement = "secret_delete" };
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	group_clear(&group);
	queue_free(queue);
	event_base_free(base);
	return (0);
}

static void
test_reads_go_together(void **state)
{
	struct group_end end;

	(void)state;
	queue_enter(queue, &change, 0);
	queue_enter(queue, &reads[1], 0);
	queue_enter(queue, &reads[2], 0);
	queue_enter(queue, &reads[3], 0);
	group_gather(&group, &reads[0], queue, LIMIT);
	assert_int_equal(group.kind, QUERY_GROUPING);
	assert_ptr_equal(group_first(&group), &reads[0]);
	assert_int_equal(queue_length(queue), 2);
	assert_int_equal(end_group(&end), LIMIT);
	assert_ptr_equal(end.members[1].query, &reads[1]);
	assert_ptr_equal(end.members[2].query, &reads[2]);
	assert_int_equal(end_group(&end), 0);
	assert_int_equal(group.kind, QUERY_NONE);
}

static void
test_others_go_alone(void **state)
{
	(void)state;
	queue_enter(queue, &reads[0], 0);
	group_gather(&group, &change, queue, LIMIT);
	assert_int_equal(group.kind, QUERY_ALONE);
	assert_int_equal(group.count, 1);
	assert_int_equal(queue_length(queue), 1);
}

static void
test_a_search_goes_alone(void **state)
{
	struct group_end end;
	struct query search = { .statement = "audit_event_list",
		.searches = true };

	(void)state;
	queue_enter(queue, &reads[0], 0);
	group_gather(&group, &search, queue, LIMIT);
	assert_int_equal(group.kind, QUERY_SEARCHING);
	assert_int_equal(queue_length(queue), 1);
	assert_int_equal(end_group(&end), 1);
	assert_int_equal(group.kind, QUERY_NONE);
}

static struct query
list_new(void)
{
	return ((struct query){
	    .statement = "secret_browse", .groups = true, .lists = true });
}

static void
test_lists_go_with_lists(void **state)
{
	struct group_end end;
	struct query list = list_new(), other = list_new();

	(void)state;
	queue_enter(queue, &reads[0], 0);
	queue_enter(queue, &other, 0);
	group_gather(&group, &list, queue, LIMIT);
	assert_int_equal(group.kind, QUERY_LISTING);
	assert_int_equal(end_group(&end), 2);
	assert_ptr_equal(end.members[1].query, &other);
	/* Nor does a read take lists along. */
	queue_enter(queue, &other, 0);
	assert_ptr_equal(queue_next(queue, QUERY_GROUPING), &reads[0]);
	group_gather(&group, &reads[0], queue, LIMIT);
	assert_int_equal(end_group(&end), 1);
	assert_int_equal(queue_length(queue), 1);
}

/* However many lists wait, and however large the groups of reads may be. */
static void
test_few_lists_go_together(void **state)
{
	struct group_end end;
	struct query lists[GROUP_LISTS_MAX + 2];
	long i;

	(void)state;
	group_clear(&group);
	group_init(&group, GROUP_MAX);
	for (i = 0; i < GROUP_LISTS_MAX + 2; i++)
		lists[i] = list_new();
	for (i = 1; i < GROUP_LISTS_MAX + 2; i++)
		queue_enter(queue, &lists[i], 0);
	group_gather(&group, &lists[0], queue, GROUP_MAX);
	assert_int_equal(end_group(&end), GROUP_LISTS_MAX);
	assert_int_equal(queue_length(queue), 2);
	/* group_limit, where it is smaller, holds for them, too. */
	group_gather(&group, queue_next(queue, QUERY_LISTING), queue, 1);
	assert_int_equal(end_group(&end), 1);
}

/* A result of each member, in their order; what else comes belongs to none. */
static void
test_results(void **state)
{
	struct group_end end;
	PGresult *first, *second;

	(void)state;
	queue_enter(queue, &reads[1], 0);
	group_gather(&group, &reads[0], queue, LIMIT);
	first = answer_new();
	second = answer_new();
	group_result(&group, first);
	group_result(&group, second);
	group_result(&group, PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK));
	assert_false(group.failed);
	assert_false(group.malformed);
	assert_int_equal(end_group(&end), 2);
	assert_ptr_equal(end.members[0].result, first);
	assert_ptr_equal(end.members[1].result, second);
	PQclear(first);
	PQclear(second);
}

/* A row is missing: nobody in the group is to read any of it. */
static void
test_a_malformed_result(void **state)
{
	struct group_end end;

	(void)state;
	queue_enter(queue, &reads[1], 0);
	group_gather(&group, &reads[0], queue, LIMIT);
	group_result(&group, answer_new());
	assert_false(group.malformed);
	group_result(&group, result_new(&statement_api.columns));
	assert_true(group.malformed);
	assert_false(group.failed);
	assert_int_equal(end_group(&end), 2);
	columns_clear(end.members[0].result);
	columns_clear(end.members[1].result);
}

static void
test_one_fault_is_that_of_all(void **state)
{
	struct group_end end;

	(void)state;
	queue_enter(queue, &reads[1], 0);
	group_gather(&group, &reads[0], queue, LIMIT);
	group_result(&group, PQmakeEmptyPGresult(NULL, PGRES_FATAL_ERROR));
	group_result(&group, PQmakeEmptyPGresult(NULL, PGRES_PIPELINE_ABORTED));
	assert_true(group.failed);
	assert_int_equal(end_group(&end), 2);
	assert_null(end.members[0].result);
	assert_null(end.members[1].result);
}

static void
test_abandoned(void **state)
{
	(void)state;
	queue_enter(queue, &reads[1], 0);
	group_gather(&group, &reads[0], queue, LIMIT);
	assert_true(group_abandon(&group, &reads[0]));
	assert_null(group_first(&group));
	assert_false(group_abandon(&group, &reads[1]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_reads_go_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_others_go_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_a_search_goes_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_lists_go_with_lists, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_few_lists_go_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_results, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_a_malformed_result, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_one_fault_is_that_of_all, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_abandoned, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
