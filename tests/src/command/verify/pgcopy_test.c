#include "tests/src/test.h"

#include "tests/src/pgcopy_write.h"

#define PATH "copy_test.tmp"

static struct pgcopy *copy;
static struct pgcopy_field fields[PGCOPY_FIELDS_MAX];

static FILE *
begin(void)
{
	FILE *file = fopen(PATH, "w");

	assert_non_null(file);
	return (file);
}

static void
open_again(FILE *file)
{
	fclose(file);
	copy = pgcopy_open(PATH);
	assert_non_null(copy);
}

static int
tear_down(void **state)
{
	(void)state;
	pgcopy_free(copy);
	copy = NULL;
	remove(PATH);
	return (0);
}

static void
test_rows(void **state)
{
	FILE *file = begin();

	(void)state;
	pgcopy_write_head(file, 5);
	pgcopy_write_16(file, 3);
	pgcopy_write_field(file, "one", 3);
	pgcopy_write_field(file, NULL, 0);
	pgcopy_write_field(file, "", 0);
	pgcopy_write_16(file, 1);
	pgcopy_write_field(file, "two", 3);
	pgcopy_write_end(file);
	open_again(file);
	/* Of the three, two are asked for. */
	assert_true(pgcopy_next(copy, fields, 2));
	assert_int_equal(fields[0].size, 3);
	assert_memory_equal(fields[0].bytes, "one", 3);
	assert_null(fields[1].bytes);
	assert_true(pgcopy_next(copy, fields, 1));
	assert_memory_equal(fields[0].bytes, "two", 3);
	assert_false(pgcopy_next(copy, fields, 1));
	assert_false(pgcopy_next(copy, fields, 1));
	assert_false(pgcopy_failed(copy));
}

/* The room grows, and what was read of the row stays. */
static void
test_large_row(void **state)
{
	static char large[300000];
	FILE *file = begin();
	int i;

	(void)state;
	pgcopy_write_head(file, 0);
	for (i = 0; i < 2; i++) {
		pgcopy_write_16(file, 3);
		pgcopy_write_field(file, "first", 5);
		memset(large, 'a' + i, sizeof(large));
		pgcopy_write_field(file, large, sizeof(large));
		pgcopy_write_field(file, "last", 4);
	}
	pgcopy_write_end(file);
	open_again(file);
	for (i = 0; i < 2; i++) {
		assert_true(pgcopy_next(copy, fields, 3));
		memset(large, 'a' + i, sizeof(large));
		assert_memory_equal(fields[0].bytes, "first", 5);
		assert_int_equal(fields[1].size, sizeof(large));
		assert_memory_equal(fields[1].bytes, large, sizeof(large));
		assert_memory_equal(fields[2].bytes, "last", 4);
	}
	assert_false(pgcopy_next(copy, fields, 3));
	assert_false(pgcopy_failed(copy));
}

/* A file that ends anywhere before its end is not taken for a whole one. */
static void
test_cut_off(void **state)
{
	char whole[256], part[256];
	FILE *file = begin();
	size_t size, i;

	(void)state;
	pgcopy_write_head(file, 2);
	pgcopy_write_16(file, 2);
	pgcopy_write_field(file, "a", 1);
	pgcopy_write_field(file, NULL, 0);
	pgcopy_write_end(file);
	fclose(file);
	file = fopen(PATH, "r");
	size = fread(whole, 1, sizeof(whole), file);
	fclose(file);
	for (i = 0; i < size; i++) {
		memcpy(part, whole, i);
		file = begin();
		pgcopy_write(file, part, i);
		open_again(file);
		while (pgcopy_next(copy, fields, 2))
			;
		assert_true(pgcopy_failed(copy));
		assert_false(pgcopy_next(copy, fields, 2));
		pgcopy_free(copy);
	}
	copy = NULL;
}

static void
fails(FILE *file)
{
	open_again(file);
	assert_false(pgcopy_next(copy, fields, 2));
	assert_true(pgcopy_failed(copy));
	pgcopy_free(copy);
	copy = NULL;
}

static void
test_what_is_no_row(void **state)
{
	FILE *file = begin();

	(void)state;
	pgcopy_write(file, "PGCOPY\n\377\n\r\0 and more", 20);
	fails(file);

	file = begin(); /* fewer fields than are asked for */
	pgcopy_write_head(file, 0);
	pgcopy_write_16(file, 1);
	pgcopy_write_field(file, "a", 1);
	pgcopy_write_end(file);
	fails(file);

	file = begin(); /* more than there can be */
	pgcopy_write_head(file, 0);
	pgcopy_write_16(file, PGCOPY_FIELDS_MAX + 1);
	fails(file);

	file = begin(); /* larger than any of ours */
	pgcopy_write_head(file, 0);
	pgcopy_write_16(file, 2);
	pgcopy_write_32(file, 1U << 30);
	fails(file);

	assert_null(pgcopy_open("no such file"));
	pgcopy_free(NULL);
}

static void
test_numbers(void **state)
{
	static const unsigned char bytes[] = { 0xff, 0xff, 0xff, 0xfe, 0, 0, 0,
		0x2a };
	struct pgcopy_field field = { .bytes = bytes, .size = 4 };

	(void)state;
	assert_int_equal(pgcopy_number(&field), -2);
	field.size = 8;
	assert_true(pgcopy_number(&field) == -8589934550);
	field.bytes = bytes + 4;
	field.size = 4;
	assert_int_equal(pgcopy_number(&field), 42);
	field.size = 3;
	assert_int_equal(pgcopy_number(&field), 0);
	field.bytes = NULL;
	field.size = 0;
	assert_int_equal(pgcopy_number(&field), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_rows, tear_down),
		cmocka_unit_test_teardown(test_large_row, tear_down),
		cmocka_unit_test_teardown(test_cut_off, tear_down),
		cmocka_unit_test_teardown(test_what_is_no_row, tear_down),
		cmocka_unit_test(test_numbers),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
