#include <string.h>

#include "base/crypto.h"
#include "command/verify/closing.h"
#include "tests/src/test.h"

static struct closing closing;
static unsigned char hashes[4][CRYPTO_SHA256_SIZE];

static int
set_up(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		memset(hashes[i], (int)i + 1, sizeof(hashes[i]));
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	closing_free(&closing);
	return (0);
}

/* A root over the first of the hashes. */
static const unsigned char *
root_over(size_t count)
{
	static unsigned char root[CRYPTO_SHA256_SIZE];
	unsigned char bytes[10 + sizeof(hashes)] = "coffer-mo1";

	memcpy(bytes + 10, hashes, sizeof(hashes));
	crypto_sha256(bytes, 10 + count * sizeof(hashes[0]), root);
	return (root);
}

static void
assert_open(int64_t expected)
{
	int64_t no;

	assert_true(closing_is_open(&closing, &no));
	assert_int_equal(no, expected);
}

static void
test_a_month_is_closed(void **state)
{
	int64_t no;

	(void)state;
	assert_false(closing_is_open(&closing, &no));
	assert_false(
	    closing_seal(&closing, 1, 0, false, root_over(0), hashes[0]));
	assert_open(0);
	assert_false(
	    closing_seal(&closing, 1, 7, false, root_over(1), hashes[1]));
	assert_open(7);
	assert_true(
	    closing_seal(&closing, 1, 8, true, root_over(2), hashes[2]));
	assert_false(closing_is_open(&closing, &no));
}

/* It goes on, and is closed again, over the seal that closed it before, too. */
static void
test_a_month_is_closed_twice(void **state)
{
	int64_t no;

	(void)state;
	assert_true(
	    closing_seal(&closing, 1, 0, true, root_over(0), hashes[0]));
	assert_false(
	    closing_seal(&closing, 1, 1, false, root_over(0), hashes[1]));
	assert_open(1);
	assert_true(
	    closing_seal(&closing, 1, 2, true, root_over(2), hashes[2]));
	assert_false(closing_is_open(&closing, &no));
}

static void
test_a_month_is_closed_with_other_seals(void **state)
{
	(void)state;
	assert_false(
	    closing_seal(&closing, 1, 0, false, root_over(0), hashes[0]));
	assert_false(
	    closing_seal(&closing, 1, 1, true, root_over(2), hashes[1]));
	assert_open(1);
}

/* Seals of two months may alternate. */
static void
test_months(void **state)
{
	int64_t no;

	(void)state;
	assert_false(
	    closing_seal(&closing, 1, 0, false, root_over(0), hashes[0]));
	assert_false(
	    closing_seal(&closing, 2, 1, false, root_over(0), hashes[0]));
	assert_false(
	    closing_seal(&closing, 1, 2, false, root_over(0), hashes[1]));
	assert_true(
	    closing_seal(&closing, 2, 3, true, root_over(1), hashes[1]));
	assert_open(2);
	assert_true(
	    closing_seal(&closing, 1, 4, true, root_over(2), hashes[2]));
	assert_false(closing_is_open(&closing, &no));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_a_month_is_closed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_a_month_is_closed_twice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_a_month_is_closed_with_other_seals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_months, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
