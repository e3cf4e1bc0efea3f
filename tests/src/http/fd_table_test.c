#include "http/fd_table.h"
#include "tests/src/test.h"

static void
test_finds_what_was_set(void **state)
{
	struct fd_table table = { .entries = NULL };
	int one, other;

	(void)state;
	assert_null(fd_table_get(&table, 0));
	assert_null(fd_table_get(&table, -1));
	fd_table_set(&table, 3, &one);
	fd_table_set(&table, 5000, &other);
	assert_ptr_equal(fd_table_get(&table, 3), &one);
	assert_ptr_equal(fd_table_get(&table, 5000), &other);
	assert_null(fd_table_get(&table, 4));
	assert_null(fd_table_get(&table, 1000000));
	fd_table_set(&table, 3, NULL);
	assert_null(fd_table_get(&table, 3));
	fd_table_free(&table);
	assert_null(fd_table_get(&table, 5000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_what_was_set),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
