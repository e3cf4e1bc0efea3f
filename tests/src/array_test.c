#include <string.h>

#include "../../src/array.h"
#include "test.h"

#define BYTEA 17

/* What PostgreSQL's array_send gives for '{\\x0102,\\x0304}'::bytea[]. */
static const unsigned char expected[] = { 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 17,
	0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 0, 0, 0, 2, 3, 4 };

static void
test_binary_form(void **state)
{
	struct session_parameter parameter;
	struct array array;

	(void)state;
	array_new(&array, BYTEA, 2, 2);
	array_set(&array, 1, "\x03\x04");
	array_set(&array, 0, "\x01\x02");
	parameter = array_parameter(&array);
	assert_true(parameter.binary && parameter.secret);
	assert_int_equal(parameter.size, sizeof(expected));
	assert_memory_equal(parameter.value, expected, sizeof(expected));
	array_free(&array);
	assert_null(array.bytes);
	array_free(&array);
}

static void
test_cut(void **state)
{
	struct session_parameter parameter;
	struct array array;

	(void)state;
	array_new(&array, BYTEA, 3, 2);
	array_set(&array, 0, "\x01\x02");
	array_set(&array, 1, "\x03\x04");
	array_cut(&array, 2);
	parameter = array_parameter(&array);
	assert_int_equal(parameter.size, sizeof(expected));
	assert_memory_equal(parameter.value, expected, sizeof(expected));
	array_free(&array);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_binary_form),
		cmocka_unit_test(test_cut),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
