#include "command/verify/months.h"
#include "tests/src/test.h"

#include <string.h>

#define MONTH 9801 /* 2026-11-01, in days since 2000 */

static struct months months;

static int
set_up(void **state)
{
	(void)state;
	memset(&months, 0, sizeof(months));
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	months_free(&months);
	return (0);
}

/* What a row of seal 7 in December says, as jsonb is sent. */
static void
hear(const char *text)
{
	const struct pgcopy_field request = { (const unsigned char *)text,
		(uint32_t)strlen(text) };

	months_hear(&months, 7, MONTH + 30, &request);
}

static struct month *
november(int64_t rows)
{
	struct month *month = months_get(&months, MONTH);

	month->rows = rows;
	return (month);
}

static void
test_names(void **state)
{
	char name[MONTHS_NAME_SIZE];

	(void)state;
	months_name(MONTH, name);
	assert_string_equal(name, "2026-11-01");
	months_name(0, name);
	assert_string_equal(name, "2000-01-01");
	months_name(-1, name);
	assert_string_equal(name, "1999-12-31");
	months_name(INT32_MAX, name);
	assert_string_equal(name, "?");
}

static void
test_many(void **state)
{
	int64_t day;

	(void)state;
	for (day = 0; day < 1000; day++)
		months_get(&months, day)->rows = day;
	for (day = 0; day < 1000; day++)
		assert_int_equal(months_get(&months, day)->rows, day);
	assert_int_equal(months.count, 1000);
}

static void
test_heard(void **state)
{
	(void)state;
	assert_false(months_was_dropped(&months, november(3)));
	hear("\1{\"month\":\"2026-11-01\",\"rows\":3}");
	assert_true(months_was_dropped(&months, november(3)));
	assert_false(months_was_dropped(&months, november(4)));
}

static void
test_earlier(void **state)
{
	(void)state;
	hear("\1{\"month\":\"2026-10-01\",\"rows\":1,\"earlier\":["
	     "{\"month\":\"2026-09-01\",\"rows\":2},null,7,"
	     "{\"month\":\"2026-11-01\",\"rows\":3}]}");
	assert_true(months_was_dropped(&months, november(3)));
	assert_int_equal(months.drops_count, 3);
}

/* A month is over when it is dropped. */
static void
test_month_that_was_not_over(void **state)
{
	(void)state;
	hear("\1{\"month\":\"2026-12-01\",\"rows\":3}");
	hear("\1{\"month\":\"2027-01-01\",\"rows\":3}");
	assert_int_equal(months.drops_count, 0);
}

static void
test_nonsense(void **state)
{
	const struct pgcopy_field nothing = { NULL, 0 };

	(void)state;
	months_hear(&months, 7, MONTH, &nothing);
	hear("");
	hear("\1");
	hear("\1{");
	hear("\1[]");
	hear("\1{}");
	hear("\1{\"month\":null,\"rows\":3}");
	hear("\1{\"month\":\"2026-11-01 and more\",\"rows\":3}");
	hear("\1{\"earlier\":{}}");
	hear("\2{\"month\":\"2026-11-01\",\"rows\":3}");
	assert_int_equal(months.drops_count, 0);
}

static void
test_forgotten(void **state)
{
	(void)state;
	hear("\1{\"month\":\"2026-11-01\",\"rows\":3}");
	months_forget(&months, 8);
	assert_true(months_was_dropped(&months, november(3)));
	months_forget(&months, 7);
	assert_false(months_was_dropped(&months, november(3)));
}

/* What a seal that does not hold has said first, one that holds may say. */
static void
test_forgotten_and_repeated(void **state)
{
	static const char said[] = "\1{\"month\":\"2026-11-01\",\"rows\":3}";
	const struct pgcopy_field request = { (const unsigned char *)said,
		sizeof(said) - 1 };

	(void)state;
	hear(said);
	months_hear(&months, 8, MONTH + 30, &request);
	months_forget(&months, 7);
	assert_true(months_was_dropped(&months, november(3)));
}

/* The rows of a month that was not dropped are missed. */
static void
test_rows_of_none(void **state)
{
	(void)state;
	hear("\1{\"month\":\"2026-11-01\",\"rows\":9,"
	     "\"first_id\":5,\"last_id\":7}");
	assert_false(months_dropped_row(&months, 6));
}

/* Each is asked for as often as it has receipts. */
static void
test_rows(void **state)
{
	(void)state;
	hear("\1{\"month\":\"2026-11-01\",\"rows\":2,"
	     "\"first_id\":5,\"last_id\":9}");
	assert_true(months_was_dropped(&months, november(2)));
	assert_false(months_dropped_row(&months, 4));
	assert_true(months_dropped_row(&months, 5));
	assert_true(months_dropped_row(&months, 5));
	assert_true(months_dropped_row(&months, 7));
	assert_true(months_dropped_row(&months, 7));
	assert_false(months_dropped_row(&months, 9));
	assert_false(months_dropped_row(&months, 10));
}

/* At the turn of a month ids alternate; and the first word about it counts. */
static void
test_rows_of_two(void **state)
{
	(void)state;
	hear("\1{\"month\":\"2026-11-01\",\"rows\":1,"
	     "\"first_id\":5,\"last_id\":7,\"earlier\":["
	     "{\"month\":\"2026-10-01\",\"rows\":1,"
	     "\"first_id\":4,\"last_id\":6}]}");
	hear("\1{\"month\":\"2026-11-01\",\"rows\":1,"
	     "\"first_id\":1,\"last_id\":99}");
	assert_true(months_was_dropped(&months, november(1)));
	months_get(&months, MONTH - 31)->rows = 1;
	assert_true(
	    months_was_dropped(&months, months_get(&months, MONTH - 31)));
	assert_true(months_dropped_row(&months, 5));
	assert_true(months_dropped_row(&months, 6));
	assert_false(months_dropped_row(&months, 8));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define MONTHS_TEST(name) \
	cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
		MONTHS_TEST(names),
		MONTHS_TEST(many),
		MONTHS_TEST(heard),
		MONTHS_TEST(earlier),
		MONTHS_TEST(month_that_was_not_over),
		MONTHS_TEST(nonsense),
		MONTHS_TEST(forgotten),
		MONTHS_TEST(forgotten_and_repeated),
		MONTHS_TEST(rows_of_none),
		MONTHS_TEST(rows),
		MONTHS_TEST(rows_of_two),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
