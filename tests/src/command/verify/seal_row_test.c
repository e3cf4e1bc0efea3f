#include <string.h>

#include "command/verify/seal_row.h"
#include "tests/src/test.h"

static const uint32_t sizes[] = { 8, 4, 4, 8, 8, 8, 32, 32, 8, 32 };
static unsigned char bytes[32];
static struct pgcopy_field seal[SEAL_ROW_FIELDS];

static int
set_up(void **state)
{
	int i;

	(void)state;
	memset(seal, 0, sizeof(seal));
	memset(bytes, 0, sizeof(bytes));
	bytes[3] = 7;
	for (i = SEAL_ROW_NO; i <= SEAL_ROW_HASH; i++)
		seal[i] = (struct pgcopy_field){ bytes, sizes[i] };
	return (0);
}

static void
test_form(void **state)
{
	int i;

	(void)state;
	assert_true(seal_row_is_sound(seal));
	for (i = SEAL_ROW_NO; i <= SEAL_ROW_HASH; i++) {
		set_up(state);
		seal[i].size--;
		assert_false(seal_row_is_sound(seal));
		set_up(state);
		seal[i].bytes = NULL;
		assert_false(seal_row_is_sound(seal));
	}
}

/* Over all columns before it, and not over itself. */
static void
test_hash(void **state)
{
	unsigned char hash[32], other[32], changed[32] = { 1 };
	int i;

	(void)state;
	seal_row_hash(seal, hash);
	for (i = SEAL_ROW_NO; i < SEAL_ROW_HASH; i++) {
		seal[i].bytes = changed;
		seal_row_hash(seal, other);
		assert_memory_not_equal(hash, other, sizeof(hash));
		seal[i].bytes = bytes;
	}
	seal[SEAL_ROW_HASH].bytes = changed;
	seal_row_hash(seal, other);
	assert_memory_equal(hash, other, sizeof(hash));
}

static void
test_read(void **state)
{
	struct seal_row row;

	(void)state;
	seal_row_read(seal, &row);
	assert_true(row.given);
	assert_int_equal(row.epoch, 7);
	assert_int_equal(row.month, 7);
	assert_int_equal(row.no, INT64_C(7) << 32);
	assert_memory_equal(row.root, bytes, sizeof(row.root));
	assert_memory_equal(row.hash, bytes, sizeof(row.hash));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_form, set_up),
		cmocka_unit_test_setup(test_hash, set_up),
		cmocka_unit_test_setup(test_read, set_up),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
