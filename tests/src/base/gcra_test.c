#include "base/gcra.h"
#include "tests/src/test.h"

#define SECOND INT64_C(1000000000)
#define START (1000 * SECOND)

static void
test_a_burst_and_then_the_quota(void **state)
{
	const struct gcra gcra = gcra_of(2, 3);
	int64_t full = 0;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_false(gcra_is_empty(&gcra, full, START));
		full = gcra_take(&gcra, full, START);
	}
	assert_true(gcra_is_empty(&gcra, full, START));
	assert_true(gcra_is_empty(&gcra, full, START + SECOND / 2 - 1));
	assert_false(gcra_is_empty(&gcra, full, START + SECOND / 2));
	full = gcra_take(&gcra, full, START + SECOND / 2);
	assert_true(gcra_is_empty(&gcra, full, START + SECOND / 2));
}

static void
test_a_bucket_has_no_more_than_its_burst(void **state)
{
	const struct gcra gcra = gcra_of(2, 3);
	int64_t full = gcra_take(&gcra, 0, START);
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		full = gcra_take(&gcra, full, START + 3600 * SECOND);
	assert_true(gcra_is_empty(&gcra, full, START + 3600 * SECOND));
}

static void
test_an_empty_bucket_owes_nothing(void **state)
{
	const struct gcra gcra = gcra_of(2, 3);
	int64_t full = 0;
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		full = gcra_take(&gcra, full, START);
	assert_false(gcra_is_empty(&gcra, full, START + SECOND / 2));
}

static void
test_a_token_is_given_back(void **state)
{
	const struct gcra gcra = gcra_of(1, 1);
	int64_t full = gcra_take(&gcra, 0, START);

	(void)state;
	assert_true(gcra_is_empty(&gcra, full, START));
	full = gcra_give_back(&gcra, full);
	assert_false(gcra_is_empty(&gcra, full, START));
}

static void
test_no_quota_is_any_number(void **state)
{
	const struct gcra gcra = gcra_of(0, 1);
	int64_t full = 0;
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		full = gcra_take(&gcra, full, START);
	assert_false(gcra_is_empty(&gcra, full, START));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_burst_and_then_the_quota),
		cmocka_unit_test(test_a_bucket_has_no_more_than_its_burst),
		cmocka_unit_test(test_an_empty_bucket_owes_nothing),
		cmocka_unit_test(test_a_token_is_given_back),
		cmocka_unit_test(test_no_quota_is_any_number),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
