#include <string.h>

#include "base/load.h"
#include "base/settings.h"
#include "tests/src/test.h"

/* Each row has a place of its own, and its standard value is a legal one. */
static void
test_rows(void **state)
{
	struct settings values;
	char cause[256];
	size_t i, j;

	(void)state;
	for (i = 0; i < settings_count; i++) {
		assert_non_null(settings_table[i].help);
		for (j = 0; j < i; j++) {
			assert_int_not_equal(
			    settings_table[j].offset, settings_table[i].offset);
			assert_string_not_equal(
			    settings_table[j].name, settings_table[i].name);
		}
	}
	/* The default is written as --settings writes the range. */
	for (i = 0; i < settings_count; i++) {
		enum units_base unit;
		char text[UNITS_TEXT_SIZE];
		long number;

		if (!load_is_number(&settings_table[i], &unit))
			continue;
		assert_true(
		    units_read(unit, settings_table[i].standard, &number));
		units_write(unit, number, text);
		assert_string_equal(text, settings_table[i].standard);
	}
	for (i = 0; i < settings_former_count; i++) {
		for (j = 0; j < settings_count; j++)
			assert_string_not_equal(
			    settings_former[i].name, settings_table[j].name);
	}
	assert_true(load_settings(&values, NULL, cause, sizeof(cause)));
	load_free(&values);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
