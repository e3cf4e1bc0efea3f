#include <time.h>

#include "../../src/clock.h"
#include "test.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_on),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
