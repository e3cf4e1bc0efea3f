#include "db/wrapped.h"
#include "tests/src/result.h"

static const struct columns columns = { 1, 1, 3,
	{ { .type = COLUMN_INT4 }, { .type = COLUMN_TEXT, .null = true },
	    { .type = COLUMN_BYTEA, .null = true } } };

/* Sizes that are negative stand for NULL. */
static bool
read_sizes(int id_size, int key_size, struct keyring_wrapped *wrapped)
{
	static char id[] = "0123456789abcdef0";
	static char key[CRYPTO_SEALED_SIZE + 1] = "key";
	PGresult *result = result_new(&columns);
	bool read;

	result_set(result, 0, 0, "\0\0\0\1", 4);
	assert_int_equal(PQsetvalue(result, 0, 1, id, id_size), 1);
	assert_int_equal(PQsetvalue(result, 0, 2, key, key_size), 1);
	memset(wrapped, 'x', sizeof(*wrapped));
	read = wrapped_read(result, 0, 1, wrapped);
	PQclear(result);
	return (read);
}

static void
test_read(void **state)
{
	struct keyring_wrapped wrapped;

	(void)state;
	assert_true(read_sizes(16, CRYPTO_SEALED_SIZE, &wrapped));
	assert_string_equal(wrapped.root_id, "0123456789abcdef");
	assert_memory_equal(wrapped.bytes, "key\0", 5);
}

static void
test_other_lengths(void **state)
{
	struct keyring_wrapped wrapped;

	(void)state;
	assert_false(read_sizes(15, CRYPTO_SEALED_SIZE, &wrapped));
	assert_string_equal(wrapped.root_id, "0123456789abcde");
	assert_false(read_sizes(17, CRYPTO_SEALED_SIZE, &wrapped));
	assert_string_equal(wrapped.root_id, "0123456789abcdef");
	assert_false(read_sizes(16, CRYPTO_SEALED_SIZE - 1, &wrapped));
	assert_false(read_sizes(16, CRYPTO_SEALED_SIZE + 1, &wrapped));
	assert_false(read_sizes(-1, CRYPTO_SEALED_SIZE, &wrapped));
	assert_string_equal(wrapped.root_id, "");
	assert_false(read_sizes(16, -1, &wrapped));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_other_lengths),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
