#include <limits.h>
#include <stdio.h>

#include "base/units.h"
#include "tests/src/test.h"

static void
test_read(void **state)
{
	static const struct {
		enum units_base base;
		const char *text;
		long value;
	} sound[] = {
		{ UNITS_NONE, "32", 32 },
		{ UNITS_NONE, "-1", -1 },
		{ UNITS_MILLISECONDS, "250", 250 },
		{ UNITS_MILLISECONDS, "250ms", 250 },
		{ UNITS_MILLISECONDS, "10s", 10000 },
		{ UNITS_MILLISECONDS, "5 min", 300000 },
		{ UNITS_SECONDS, "75", 75 },
		{ UNITS_SECONDS, "75s", 75 },
		{ UNITS_SECONDS, "2000ms", 2 },
		{ UNITS_SECONDS, "1h", 3600 },
		{ UNITS_SECONDS, "1d", 86400 },
		{ UNITS_BYTES, "1024", 1024 },
		{ UNITS_BYTES, "7B", 7 },
		{ UNITS_BYTES, "64kB", 65536 },
		{ UNITS_BYTES, "256MB", 268435456 },
		{ UNITS_BYTES, "1GB", 1073741824 },
		{ UNITS_BYTES, "1TB", 1099511627776 },
	};
	static const struct {
		enum units_base base;
		const char *text;
	} faulty[] = {
		{ UNITS_NONE, "32s" },
		{ UNITS_NONE, "" },
		{ UNITS_NONE, "many" },
		{ UNITS_NONE, "3 " },
		{ UNITS_MILLISECONDS, "1.5s" },
		{ UNITS_MILLISECONDS, "10 seconds" },
		{ UNITS_MILLISECONDS, "10S" },
		{ UNITS_MILLISECONDS, "10m" },
		{ UNITS_MILLISECONDS, "s" },
		{ UNITS_MILLISECONDS, "10s " },
		{ UNITS_MILLISECONDS, "10kB" },
		{ UNITS_SECONDS, "250ms" },
		{ UNITS_SECONDS, "1m" },
		{ UNITS_BYTES, "64KB" },
		{ UNITS_BYTES, "64k" },
		{ UNITS_BYTES, "10s" },
		{ UNITS_BYTES, "0x10" },
		{ UNITS_BYTES, "9999999TB" },
		{ UNITS_BYTES, "99999999999999999999" },
	};
	long value;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sound) / sizeof(sound[0]); i++) {
		assert_true(units_read(sound[i].base, sound[i].text, &value));
		assert_int_equal(value, sound[i].value);
	}
	for (i = 0; i < sizeof(faulty) / sizeof(faulty[0]); i++)
		assert_false(
		    units_read(faulty[i].base, faulty[i].text, &value));
}

static void
test_write(void **state)
{
	static const struct {
		enum units_base base;
		long value;
		const char *text;
	} cases[] = {
		{ UNITS_NONE, 256, "256" },
		{ UNITS_MILLISECONDS, 0, "0" },
		{ UNITS_MILLISECONDS, 100, "100ms" },
		{ UNITS_MILLISECONDS, 1500, "1500ms" },
		{ UNITS_MILLISECONDS, 60000, "1min" },
		{ UNITS_SECONDS, 75, "75s" },
		{ UNITS_SECONDS, 3600, "1h" },
		{ UNITS_BYTES, 1000, "1000B" },
		{ UNITS_BYTES, 16384, "16kB" },
		{ UNITS_BYTES, 1099511627776, "1TB" },
	};
	char text[UNITS_TEXT_SIZE];
	long value;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		units_write(cases[i].base, cases[i].value, text);
		assert_string_equal(text, cases[i].text);
		assert_true(units_read(cases[i].base, text, &value));
		assert_int_equal(value, cases[i].value);
	}
	units_write(UNITS_SECONDS, LONG_MAX, text);
	assert_string_equal(text, "9223372036854775807s");
}

static void
test_names(void **state)
{
	(void)state;
	assert_null(units_name(UNITS_NONE));
	assert_null(units_names(UNITS_NONE));
	assert_string_equal(units_name(UNITS_SECONDS), "s");
	assert_string_equal(units_names(UNITS_BYTES), "B, kB, MB, GB or TB");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_names),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
