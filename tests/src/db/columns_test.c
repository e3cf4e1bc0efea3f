#include <endian.h>
#include <stdio.h>

#include "db/columns.h"
#include "tests/src/result.h"

/* One column of each type; the last may be NULL. */
static const struct columns columns = { 0, 2, 7,
	{ { .type = COLUMN_INT2 }, { .type = COLUMN_INT4 },
	    { .type = COLUMN_INT8 }, { .type = COLUMN_BOOL },
	    { .type = COLUMN_UUID },
	    { .type = COLUMN_TEXT, .least = 1, .most = 5 },
	    { .type = COLUMN_BYTEA, .null = true } } };

static const unsigned char uuid[16] = { 1, 2, 3 };

static void
set_row(PGresult *result, int row)
{
	const uint16_t small = htobe16((uint16_t)-2);
	const uint32_t narrow = htobe32((uint32_t)-4);
	const uint64_t wide = htobe64((uint64_t)-8);

	result_set(result, row, 0, &small, sizeof(small));
	result_set(result, row, 1, &narrow, sizeof(narrow));
	result_set(result, row, 2, &wide, sizeof(wide));
	result_set(result, row, 3, "\1", 1);
	result_set(result, row, 4, uuid, sizeof(uuid));
	result_set(result, row, 5, "text", 4);
	result_set(result, row, 6, "\0\1", 2);
}

static void
set_null(PGresult *result, int row, int column)
{
	assert_int_equal(PQsetvalue(result, row, column, NULL, -1), 1);
}

static bool
fits(const PGresult *result)
{
	char fault[COLUMNS_FAULT_SIZE];
	bool fit = columns_fit(result, &columns, fault);

	assert_int_equal(fit, fault[0] == '\0');
	return (fit);
}

static void
test_a_result_fits(void **state)
{
	PGresult *result = result_new(&columns);

	(void)state;
	assert_true(fits(result));
	set_row(result, 0);
	set_row(result, 1);
	assert_true(fits(result));
	set_null(result, 1, 6);
	assert_true(fits(result));
	columns_clear(result);
	columns_clear(NULL);
}

static void
test_each_value_is_read(void **state)
{
	PGresult *result = result_new(&columns);
	unsigned char copy[2] = { 9, 9 };
	size_t size;

	(void)state;
	set_row(result, 0);
	assert_int_equal(columns_rows(result), 1);
	assert_int_equal(columns_number(result, 0, 0), -2);
	assert_int_equal(columns_number(result, 0, 1), -4);
	assert_int_equal(columns_number(result, 0, 2), -8);
	assert_true(columns_flag(result, 0, 3));
	assert_memory_equal(columns_uuid(result, 0, 4), uuid, sizeof(uuid));
	assert_string_equal(columns_text(result, 0, 5), "text");
	assert_memory_equal(columns_bytes(result, 0, 6, &size), "\0\1", 2);
	assert_int_equal(size, 2);
	assert_true(columns_copy(result, 0, 6, copy, 2));
	assert_memory_equal(copy, "\0\1", 2);
	assert_false(columns_is_null(result, 0, 6));
	columns_clear(result);
}

/* Each column with a value of another length, and with NULL. */
static void
test_lengths_and_nulls(void **state)
{
	static const char wrong[] = "longer than any of them";
	PGresult *result;
	int column;

	(void)state;
	for (column = 0; column < columns.count; column++) {
		result = result_new(&columns);
		set_row(result, 0);
		set_row(result, 1);
		result_set(result, 1, column, wrong, sizeof(wrong) - 1);
		assert_int_equal(fits(result), column == 6);
		result_set(result, 1, column, wrong, 0);
		assert_int_equal(fits(result), column == 6);
		set_null(result, 1, column);
		assert_int_equal(fits(result), column == 6);
		columns_clear(result);
	}
}

static void
test_a_text_is_all_there(void **state)
{
	PGresult *result = result_new(&columns);

	(void)state;
	set_row(result, 0);
	result_set(result, 0, 5, "a\0b", 3);
	assert_false(fits(result));
	columns_clear(result);
}

static void
test_rows_and_columns(void **state)
{
	struct columns other = columns;
	PGresult *result = result_new(&columns);
	char fault[COLUMNS_FAULT_SIZE];
	int row, column;

	(void)state;
	for (row = 0; row < 3; row++)
		set_row(result, row);
	assert_false(columns_fit(result, &columns, fault));
	assert_string_equal(fault, "3 rows");
	other.rows_least = 4;
	other.rows_most = COLUMNS_ANY;
	assert_false(columns_fit(result, &other, fault));
	other.rows_least = 0;
	other.count--;
	assert_false(columns_fit(result, &other, fault));
	other.count++;
	for (column = 0; column < columns.count; column++) {
		other = columns;
		other.rows_most = 3;
		other.column[column].type = COLUMN_VOID;
		assert_false(columns_fit(result, &other, fault));
	}
	columns_clear(result);
}

static void
test_a_result_of_another_kind(void **state)
{
	static const ExecStatusType kinds[] = { PGRES_COMMAND_OK,
		PGRES_EMPTY_QUERY, PGRES_COPY_OUT, PGRES_COPY_IN,
		PGRES_COPY_BOTH, PGRES_FATAL_ERROR };
	PGresult *result;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		result = PQmakeEmptyPGresult(NULL, kinds[i]);
		assert_false(fits(result));
		columns_clear(result);
	}
}

/* Nothing that is not there is read. */
static void
test_what_is_not_there(void **state)
{
	PGresult *result = result_new(&columns);
	unsigned char copy[16];
	size_t size = 1;
	int row, column;

	(void)state;
	set_row(result, 0);
	for (column = 0; column < columns.count; column++)
		set_null(result, 1, column);
	for (row = -1; row < 3; row++) {
		for (column = -1; column < 9; column++) {
			if (row == 0 && column >= 0 && column < 7)
				continue;
			assert_true(columns_is_null(result, row, column));
			assert_int_equal(
			    columns_number(result, row, column), 0);
			assert_false(columns_flag(result, row, column));
			assert_string_equal(
			    columns_text(result, row, column), "");
			assert_int_equal(*columns_uuid(result, row, column), 0);
			columns_bytes(result, row, column, &size);
			assert_int_equal(size, 0);
			assert_false(
			    columns_copy(result, row, column, copy, 16));
		}
	}
	/* Of another type. */
	assert_int_equal(columns_number(result, 0, 4), 0);
	assert_int_equal(*columns_uuid(result, 0, 2), 0);
	assert_false(columns_flag(result, 0, 5));
	assert_string_equal(columns_text(result, 0, 6), "");
	/* Of another length. */
	result_set(result, 0, 2, "1234567", 7);
	assert_int_equal(columns_number(result, 0, 2), 0);
	result_set(result, 0, 4, uuid, 15);
	assert_int_equal(*columns_uuid(result, 0, 4), 0);
	columns_clear(result);
	assert_int_equal(columns_rows(NULL), 0);
	assert_int_equal(columns_number(NULL, 0, 0), 0);
}

static void
test_json(void **state)
{
	struct json_object *value;

	(void)state;
	value = columns_json("[1]", json_type_array);
	assert_int_equal(json_object_array_length(value), 1);
	json_object_put(value);
	assert_null(columns_json("[1]", json_type_object));
	assert_null(columns_json("{}", json_type_array));
	assert_null(columns_json("null", json_type_array));
	assert_null(columns_json("1", json_type_array));
	assert_null(columns_json("", json_type_array));
	assert_null(columns_json("[", json_type_array));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_result_fits),
		cmocka_unit_test(test_each_value_is_read),
		cmocka_unit_test(test_lengths_and_nulls),
		cmocka_unit_test(test_a_text_is_all_there),
		cmocka_unit_test(test_rows_and_columns),
		cmocka_unit_test(test_a_result_of_another_kind),
		cmocka_unit_test(test_what_is_not_there),
		cmocka_unit_test(test_json),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
