#include "http/usage.h"
#include "tests/src/test.h"

static void
test_counts_of_all_connections(void **state)
{
	struct usage usage = { .most = 1000 };
	struct usage_share one = { .request = 0 }, two = { .request = 0 };

	(void)state;
	usage_set_request(&usage, &one, 10, 0);
	usage_set_request(&usage, &two, 0, 20);
	assert_int_equal(usage_total(&usage), 10 + 3 * 20);
	usage_set_request(&usage, &one, 0, 0);
	usage_change_answer(&usage, &one, 500, 0);
	usage_change_answer(&usage, &one, 0, 200);
	assert_int_equal(usage_total(&usage), 3 * 20 + 300);
	usage_leave(&usage, &two);
	assert_int_equal(usage_total(&usage), 300);
	usage_leave(&usage, &one);
	assert_int_equal(usage_total(&usage), 0);
}

static void
test_over(void **state)
{
	struct usage usage = { .most = 1000 };
	struct usage_share share = { .request = 0 };

	(void)state;
	usage_change_answer(&usage, &share, 1000, 0);
	assert_false(usage_is_over(&usage));
	usage_set_request(&usage, &share, 1, 0);
	assert_true(usage_is_over(&usage));
}

static void
test_bodies_have_a_part(void **state)
{
	struct usage usage = { .most = 1000 };
	struct usage_share share = { .request = 0 };

	(void)state;
	/* Answers have nothing to do with it. */
	usage_change_answer(&usage, &share, 5000, 0);
	usage_set_request(&usage, &share, 250, 0);
	assert_true(usage_fits_body(&usage, false));
	usage_set_request(&usage, &share, 251, 0);
	assert_false(usage_fits_body(&usage, false));
	assert_true(usage_fits_body(&usage, true));
	usage_set_request(&usage, &share, 500, 0);
	assert_true(usage_fits_body(&usage, true));
	usage_set_request(&usage, &share, 501, 0);
	assert_false(usage_fits_body(&usage, true));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_of_all_connections),
		cmocka_unit_test(test_over),
		cmocka_unit_test(test_bodies_have_a_part),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
