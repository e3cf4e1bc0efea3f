#include <string.h>

#include "command/verify/coverage.h"
#include "tests/src/test.h"

#define ONE "11111111-0000-4000-8000-000000000001"
#define OTHER "22222222-0000-4000-8000-000000000002"
#define REQUEST "33333333-0000-4000-8000-000000000003"

static struct coverage coverage;

static int
tear_down(void **state)
{
	(void)state;
	coverage_free(&coverage);
	memset(&coverage, 0, sizeof(coverage));
	return (0);
}

static void
hear(const char *text)
{
	struct json_object *line = json_tokener_parse(text);

	assert_true(coverage_is_event(text));
	coverage_hear(&coverage, line);
	json_object_put(line);
}

static uint32_t
mark(const char *instance, const char *request, const char *method)
{
	uuid_t instance_id, request_id;
	struct pgcopy_field fields[3] = { { .bytes = NULL } };

	if (instance != NULL && uuid_parse(instance, instance_id) == 0)
		fields[0] = (struct pgcopy_field){ instance_id, 16 };
	if (uuid_parse(request, request_id) == 0)
		fields[1] = (struct pgcopy_field){ request_id, 16 };
	fields[2] = (struct pgcopy_field){ (const unsigned char *)method,
		(uint32_t)strlen(method) };
	return (coverage_mark(&coverage, &fields[0], &fields[1], &fields[2]));
}

static void
test_rows_are_marked_by_their_instance(void **state)
{
	(void)state;
	hear("{\"event\":\"starting\",\"instance\":\"" OTHER "\"}");
	hear("{\"event\":\"starting\",\"instance\":\"" ONE "\"}");
	hear("{\"event\":\"starting\",\"instance\":\"" ONE "\"}");
	hear("{\"event\":\"starting\",\"instance\":\"nonsense\"}");
	hear("{\"event\":\"outcome not heard\",\"id\":\"" REQUEST "\"}");
	hear("{\"event\":\"outcome not heard\",\"id\":null}");
	coverage_begin(&coverage);
	assert_int_equal(coverage.count, 2);
	assert_int_equal(mark(ONE, ONE, "secret_get"), COVERAGE_FIRST);
	assert_int_equal(mark(OTHER, ONE, "secret_get"), COVERAGE_FIRST + 1);
	assert_int_equal(mark(ONE, REQUEST, "secret_get"), COVERAGE_NONE);
	assert_int_equal(mark(REQUEST, ONE, "secret_get"), COVERAGE_FOREIGN);
	assert_int_equal(mark(NULL, ONE, "secret_get"), COVERAGE_FOREIGN);
	assert_int_equal(mark(NULL, ONE, "job.purge"), COVERAGE_NONE);
}

static void
test_a_log_of_before_says_nothing(void **state)
{
	(void)state;
	assert_false(coverage_is_event("{\"event\":\"seal\"}"));
	coverage_hear(&coverage, NULL);
	coverage_begin(&coverage);
	assert_int_equal(mark(ONE, ONE, "secret_get"), COVERAGE_NONE);
}

static void
test_a_log_that_has_lost_lines_says_nothing(void **state)
{
	(void)state;
	hear("{\"event\":\"starting\",\"instance\":\"" ONE "\"}");
	hear("{\"event\":\"log lines were lost\","
	     "\"instance\":\"" ONE "\",\"lines\":1}");
	coverage_begin(&coverage);
	assert_int_equal(coverage.lossy, 1);
	assert_int_equal(mark(ONE, ONE, "secret_get"), COVERAGE_NONE);
}

/* They have two lines about it, of which only this one names the instance. */
static void
test_logs_of_earlier_releases_that_have_lost_lines(void **state)
{
	(void)state;
	hear("{\"event\":\"starting\",\"instance\":\"" ONE "\"}");
	hear("{\"event\":\"log lines were lost\",\"lines\":1}");
	coverage_begin(&coverage);
	assert_int_equal(coverage.lossy, 0);
	hear("{\"event\":\"lines lost\",\"instance\":\"" ONE "\",\"count\":1}");
	coverage_begin(&coverage);
	assert_int_equal(coverage.lossy, 1);
	assert_int_equal(mark(ONE, ONE, "secret_get"), COVERAGE_NONE);
}

static void
test_a_row_is_missing_when_a_younger_one_has_its_receipt(void **state)
{
	struct coverage_rows *missing;

	(void)state;
	hear("{\"event\":\"starting\",\"instance\":\"" ONE "\"}");
	coverage_begin(&coverage);
	missing = &coverage.instances[0].missing;
	coverage_row(&coverage, COVERAGE_FIRST, 1, 1000, true);
	coverage_row(&coverage, COVERAGE_FIRST, 2, 1001, false);
	/* As of a daemon that was killed before it wrote the receipt of 2. */
	coverage_row(&coverage, COVERAGE_FIRST, 3, 1002, true);
	assert_int_equal(missing->count, 0);
	coverage_row(&coverage, COVERAGE_FIRST, 4, 1003, false);
	coverage_row(&coverage, COVERAGE_FIRST, 5, 1061, true);
	assert_int_equal(missing->count, 2);
	assert_int_equal(missing->first, 2);
	coverage_row(&coverage, COVERAGE_FIRST, 6, 1100, false);
	assert_int_equal(missing->count, 2);
}

static void
test_a_daemon_that_stopped_has_written_all_receipts(void **state)
{
	(void)state;
	hear("{\"event\":\"starting\",\"instance\":\"" ONE "\"}");
	hear("{\"event\":\"stopped\",\"code\":0,\"instance\":\"" ONE "\"}");
	/* Of this one the begin of the log is not there. */
	hear("{\"event\":\"stopped\",\"code\":0,\"instance\":\"" OTHER "\"}");
	coverage_begin(&coverage);
	assert_int_equal(coverage.count, 1);
	assert_int_equal(mark(OTHER, ONE, "secret_get"), COVERAGE_FOREIGN);
	coverage_row(&coverage, COVERAGE_FIRST, 1, 1000, true);
	coverage_row(&coverage, COVERAGE_FIRST, 2, 1001, false);
	coverage_row(&coverage, COVERAGE_FIRST, 3, 2000, false);
	coverage_end(&coverage);
	assert_int_equal(coverage.instances[0].missing.count, 2);
	assert_int_equal(coverage.instances[0].missing.first, 2);
	assert_int_equal(coverage.open.count, 0);
}

static void
test_a_daemon_that_was_killed_may_have_forged_rows(void **state)
{
	(void)state;
	hear("{\"event\":\"starting\",\"instance\":\"" ONE "\"}");
	hear("{\"event\":\"starting\",\"instance\":\"" OTHER "\"}");
	coverage_begin(&coverage);
	coverage_row(&coverage, COVERAGE_FIRST, 1, 1000, false);
	coverage_row(&coverage, COVERAGE_FIRST + 1, 2, 1059, true);
	coverage_end(&coverage);
	assert_int_equal(coverage.open.count, 0);
	coverage_row(&coverage, COVERAGE_FIRST + 1, 3, 1060, true);
	coverage_row(&coverage, COVERAGE_FIRST + 1, 4, 1060, false);
	coverage_end(&coverage);
	assert_int_equal(coverage.open.count, 1);
	assert_int_equal(coverage.open.first, 1);
	assert_int_equal(coverage.instances[0].missing.count, 0);
}

static void
test_rows_of_no_instance_are_counted(void **state)
{
	(void)state;
	coverage_row(&coverage, COVERAGE_FOREIGN, 7, 1, false);
	coverage_row(&coverage, COVERAGE_FOREIGN, 8, 1, true);
	coverage_row(&coverage, COVERAGE_FOREIGN, 9, 1, false);
	coverage_row(&coverage, COVERAGE_NONE, 10, 1, false);
	assert_int_equal(coverage.foreign.count, 2);
	assert_int_equal(coverage.foreign.first, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    test_rows_are_marked_by_their_instance, tear_down),
		cmocka_unit_test_teardown(
		    test_a_log_of_before_says_nothing, tear_down),
		cmocka_unit_test_teardown(
		    test_a_log_that_has_lost_lines_says_nothing, tear_down),
		cmocka_unit_test_teardown(
		    test_logs_of_earlier_releases_that_have_lost_lines,
		    tear_down),
		cmocka_unit_test_teardown(
		    test_a_row_is_missing_when_a_younger_one_has_its_receipt,
		    tear_down),
		cmocka_unit_test_teardown(
		    test_a_daemon_that_stopped_has_written_all_receipts,
		    tear_down),
		cmocka_unit_test_teardown(
		    test_a_daemon_that_was_killed_may_have_forged_rows,
		    tear_down),
		cmocka_unit_test_teardown(
		    test_rows_of_no_instance_are_counted, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
