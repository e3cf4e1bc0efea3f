#include <string.h>

#include "command/verify/epochs.h"
#include "tests/src/test.h"

static struct epochs epochs;

static int
set_up(void **state)
{
	(void)state;
	memset(&epochs, 0, sizeof(epochs));
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	epochs_free(&epochs);
	return (0);
}

/* A row of a seal with that text, as the binary form of jsonb has it. */
static void
hear(int64_t seal, const char *text)
{
	unsigned char bytes[256] = { 1 };
	const struct pgcopy_field request = { bytes,
		(uint32_t)strlen(text) + 1 };

	memcpy(bytes + 1, text, strlen(text));
	epochs_hear(&epochs, seal, &request);
}

static void
test_what_was_lost(void **state)
{
	(void)state;
	hear(4, "{\"epoch\":2,\"settled_id\":40,\"id_from\":1000050}");
	assert_int_equal(epochs.count, 1);
	assert_false(epochs_lost_row(&epochs, 40));
	assert_true(epochs_lost_row(&epochs, 41));
	assert_true(epochs_lost_row(&epochs, 99));
	assert_false(epochs_lost_row(&epochs, 1000051));
	assert_int_equal(epochs.begins[0].epoch, 2);
	assert_int_equal(epochs.begins[0].receipts, 2);
	assert_int_equal(epochs.begins[0].first, 41);
	assert_int_equal(epochs.begins[0].last, 99);
}

static void
test_a_seal_that_does_not_hold(void **state)
{
	(void)state;
	hear(4, "{\"epoch\":2,\"settled_id\":40,\"id_from\":1050}");
	hear(9, "{\"epoch\":3,\"settled_id\":1060,\"id_from\":2060}");
	epochs_forget(&epochs, 4);
	assert_false(epochs_lost_row(&epochs, 41));
	assert_true(epochs_lost_row(&epochs, 1061));
}

/* Rows of before declare nothing, and what is no such row neither. */
static void
test_nothing_is_declared(void **state)
{
	const struct pgcopy_field none = { NULL, 0 };

	(void)state;
	hear(1, "{\"epoch\":2,\"reason\":\"restored\"}");
	hear(1, "{\"epoch\":\"2\",\"id_from\":true}");
	hear(1, "[2]");
	hear(1, "{");
	epochs_hear(&epochs, 1, &none);
	assert_int_equal(epochs.count, 0);
	assert_false(epochs_lost_row(&epochs, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_what_was_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_a_seal_that_does_not_hold, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_nothing_is_declared, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
