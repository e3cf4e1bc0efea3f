#include "base/descriptors.h"
#include "tests/src/test.h"

static void
test_needed(void **state)
{
	const struct settings settings = {
		.max_connections = 1000,
		.pool_size = 10,
	};

	(void)state;
	assert_int_equal(descriptors_needed(&settings), 1000 + 20 + 64);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_needed),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
