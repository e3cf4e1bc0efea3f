#include <string.h>

#include "db/pgarray.h"
#include "tests/src/test.h"

#define BYTEA 17

/* What PostgreSQL's array_send gives for '{\\x0102,\\x0304}'::bytea[]. */
static const unsigned char expected[] = { 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 17,
	0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 0, 0, 0, 2, 3, 4 };

static void
test_binary_form(void **state)
{
	struct session_parameter parameter;
	struct pgarray array;

	(void)state;
	pgarray_new(&array, BYTEA, 2, 2);
	pgarray_set(&array, 1, "\x03\x04");
	pgarray_set(&array, 0, "\x01\x02");
	parameter = pgarray_parameter(&array);
	assert_true(parameter.binary && parameter.secret);
	assert_int_equal(parameter.size, sizeof(expected));
	assert_memory_equal(parameter.value, expected, sizeof(expected));
	pgarray_free(&array);
	assert_null(array.bytes);
	pgarray_free(&array);
}

static void
test_cut(void **state)
{
	struct session_parameter parameter;
	struct pgarray array;

	(void)state;
	pgarray_new(&array, BYTEA, 3, 2);
	pgarray_set(&array, 0, "\x01\x02");
	pgarray_set(&array, 1, "\x03\x04");
	pgarray_cut(&array, 2);
	parameter = pgarray_parameter(&array);
	assert_int_equal(parameter.size, sizeof(expected));
	assert_memory_equal(parameter.value, expected, sizeof(expected));
	pgarray_free(&array);
}

static void
test_elements_of_any_size(void **state)
{
	/* '{\\x010203,"\\x"}'::bytea[] */
	static const unsigned char small[] = { 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
		17, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 0, 0, 0, 0 };
	unsigned char large[5000];
	struct session_parameter parameter;
	struct pgarray array;
	size_t i;

	(void)state;
	pgarray_begin(&array, BYTEA);
	pgarray_add(&array, "\x01\x02\x03", 3);
	pgarray_add(&array, "", 0);
	parameter = pgarray_parameter(&array);
	assert_true(parameter.binary && parameter.secret);
	assert_int_equal(parameter.size, sizeof(small));
	assert_memory_equal(parameter.value, small, sizeof(small));
	memset(large, 'x', sizeof(large));
	for (i = 0; i < 3; i++)
		pgarray_add(&array, large, sizeof(large));
	parameter = pgarray_parameter(&array);
	assert_int_equal(
	    parameter.size, sizeof(small) + 3 * (4 + sizeof(large)));
	assert_int_equal(array.bytes[15], 5);
	assert_memory_equal(
	    array.bytes + parameter.size - sizeof(large), large, sizeof(large));
	pgarray_free(&array);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_binary_form),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_elements_of_any_size),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
