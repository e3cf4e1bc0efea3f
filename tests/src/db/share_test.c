#include "db/share.h"
#include "tests/src/test.h"

static void
test_reads(void **state)
{
	struct share share = { .size = 8, .reads = 2 };

	(void)state;
	share_begin(&share, QUERY_GROUPING);
	assert_true(share_kinds(&share) & QUERY_GROUPING);
	share_begin(&share, QUERY_GROUPING);
	assert_false(share_kinds(&share) & QUERY_GROUPING);
	/* Others are not held up by them. */
	assert_int_equal(share_kinds(&share), QUERY_ANY & ~QUERY_GROUPING);
	share_end(&share, QUERY_GROUPING);
	assert_int_equal(share_kinds(&share), QUERY_ANY);
}

static void
test_lists_use_a_quarter(void **state)
{
	struct share share = { .size = 8, .reads = 2 };

	(void)state;
	share_begin(&share, QUERY_LISTING);
	assert_true(share_kinds(&share) & QUERY_LISTING);
	share_begin(&share, QUERY_LISTING);
	assert_int_equal(share_kinds(&share), QUERY_ANY & ~QUERY_LISTING);
	share_begin(&share, QUERY_SEARCHING);
	assert_true(share_kinds(&share) & QUERY_SEARCHING);
	/* Both have their quarter now: half is left to others. */
	share_begin(&share, QUERY_SEARCHING);
	assert_int_equal(share_kinds(&share), QUERY_ALONE | QUERY_GROUPING);
	share_end(&share, QUERY_LISTING);
	assert_true(share_kinds(&share) & QUERY_LISTING);
	assert_false(share_kinds(&share) & QUERY_SEARCHING);
}

static void
test_small_pools(void **state)
{
	struct share share = { .size = 1, .reads = 1 };

	(void)state;
	/* One connection serves all kinds. */
	assert_int_equal(share_kinds(&share), QUERY_ANY);
	/* Of two or three, one is shared by lists and searches. */
	share.size = 3;
	share_begin(&share, QUERY_SEARCHING);
	assert_int_equal(share_kinds(&share), QUERY_ALONE | QUERY_GROUPING);
	share_end(&share, QUERY_SEARCHING);
	share_begin(&share, QUERY_LISTING);
	assert_int_equal(share_kinds(&share), QUERY_ALONE | QUERY_GROUPING);
}

static void
test_other_kinds_are_not_counted(void **state)
{
	struct share share = { .size = 1, .reads = 1 };
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		share_begin(&share, QUERY_ALONE);
	share_end(&share, QUERY_NONE);
	assert_int_equal(share_kinds(&share), QUERY_ANY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_lists_use_a_quarter),
		cmocka_unit_test(test_small_pools),
		cmocka_unit_test(test_other_kinds_are_not_counted),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
