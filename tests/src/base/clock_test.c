#include <time.h>

#include "base/clock.h"
#include "tests/src/test.h"

static void
test_goes_on(void **state)
{
	const struct timespec nap = { .tv_nsec = 2000000 };
	int64_t before = clock_microseconds(), now;

	(void)state;
	assert_true(clock_microseconds() >= before);
	nanosleep(&nap, NULL);
	now = clock_microseconds();
	assert_true(now >= before + nap.tv_nsec / 1000);
}

static void
test_how_far_another_clock_is(void **state)
{
	int64_t now = (int64_t)time(NULL);

	(void)state;
	assert_in_range(clock_apart(now + 3600, 0), 3590, 3600);
	assert_in_range(-clock_apart(now - 3600, 0), 3590, 3609);
	/* A late answer says nothing about the clock. */
	assert_int_equal(clock_apart(now - 30, 60 * INT64_C(1000000)), 0);
	assert_int_equal(clock_apart(now - 1, 0), 0);
}

static void
test_milliseconds_for_a_timer(void **state)
{
	struct timeval time = clock_timeval(1999);

	(void)state;
	assert_int_equal(time.tv_sec, 1);
	assert_int_equal(time.tv_usec, 999000);
	time = clock_timeval(0);
	assert_int_equal(time.tv_sec, 0);
	assert_int_equal(time.tv_usec, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_how_far_another_clock_is),
		cmocka_unit_test(test_milliseconds_for_a_timer),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
