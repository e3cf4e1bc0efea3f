#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "db/newest.h"
#include "tests/src/test.h"

static struct newest newest;
static unsigned char hash[CRYPTO_SHA256_SIZE];
static struct json_object *said;

static int
set_up(void **state)
{
	(void)state;
	memset(&newest, 0, sizeof(newest));
	memset(hash, 0xab, sizeof(hash));
	return (0);
}

/* The database says now what is asked for now. */
static void
state(int64_t epoch, int64_t seal, int64_t sealed_to, int64_t xid_end)
{
	struct newest_state state = { .epoch = epoch,
		.seal = seal,
		.sealed_to = sealed_to,
		.xid_end = xid_end };

	state.asked = clock_microseconds() + 1;
	state.answered = clock_microseconds();
	memcpy(state.seal_hash, hash, sizeof(hash));
	newest_state(&newest, &state);
}

static void
receipt(int64_t id)
{
	newest_receipt(&newest, id, hash, clock_microseconds());
}

/* A member of what is told, as text; "" when it is not there. */
static const char *
told(const char *name)
{
	static char value[128];
	char text[NEWEST_TEXT_SIZE];
	struct json_object *member;

	value[0] = '\0';
	assert_true(newest_text(&newest, text));
	said = json_tokener_parse(text);
	assert_non_null(said);
	if (json_object_object_get_ex(said, name, &member) && member != NULL)
		snprintf(
		    value, sizeof(value), "%s", json_object_get_string(member));
	json_object_put(said);
	return (value);
}

static void
test_nothing(void **unused)
{
	char text[NEWEST_TEXT_SIZE];

	(void)unused;
	assert_false(newest_text(&newest, text));
	/* It could not be found again, without an end to the search. */
	receipt(7);
	assert_false(newest_text(&newest, text));
}

static void
test_receipts_until_a_seal_covers_them(void **unused)
{
	(void)unused;
	state(1, 5, 100, 110);
	assert_string_equal(told("seal"), "5");
	assert_int_equal(strlen(told("seal_hash")), 64);
	assert_string_equal(told("receipt"), "");
	receipt(41);
	receipt(43);
	receipt(42);
	assert_string_equal(told("receipt"), "42");
	assert_string_equal(told("receipt_hash"), told("seal_hash"));
	assert_string_equal(told("first"), "41");
	assert_string_equal(told("last"), "43");
	assert_string_equal(told("receipts"), "3");
	assert_string_equal(told("xid_from"), "110");
	assert_string_equal(told("xid_to"), "");
	/* Not by this seal: their transactions may be up to 120. */
	state(1, 6, 115, 120);
	assert_string_equal(told("receipt"), "42");
	assert_string_equal(told("xid_to"), "120");
	receipt(50);
	assert_string_equal(told("receipt"), "50");
	assert_string_equal(told("receipts"), "4");
	assert_string_equal(told("first"), "41");
	assert_string_equal(told("xid_from"), "120");
	state(1, 7, 125, 130);
	assert_string_equal(told("receipts"), "1");
	assert_string_equal(told("receipt"), "50");
	state(1, 8, 130, 131);
	assert_string_equal(told("receipt"), "");
}

static void
test_those_that_wait_for_a_seal_add_up(void **unused)
{
	(void)unused;
	state(1, 5, 100, 110);
	receipt(1);
	state(1, 5, 100, 120);
	receipt(2);
	state(1, 5, 100, 130);
	assert_string_equal(told("receipts"), "2");
	assert_string_equal(told("first"), "1");
	assert_string_equal(told("receipt"), "2");
	assert_string_equal(told("xid_to"), "130");
}

/* A call that takes longer than is remembered is not placed. */
static void
test_a_call_of_long_ago(void **unused)
{
	(void)unused;
	state(1, 5, 100, 110);
	newest_receipt(&newest, 9, hash, 0);
	assert_string_equal(told("receipt"), "");
}

static void
test_epochs(void **unused)
{
	(void)unused;
	state(2, 5, 100, 110);
	receipt(1);
	/* A database that has gone back takes nothing away. */
	state(1, 9, 900, 910);
	state(2, 4, 90, 95);
	assert_string_equal(told("epoch"), "2");
	assert_string_equal(told("seal"), "5");
	assert_string_equal(told("receipt"), "1");
	newest_begin(&newest, 2);
	assert_string_equal(told("receipt"), "1");
	newest_begin(&newest, 3);
	assert_string_equal(told("epoch"), "3");
	assert_string_equal(told("seal"), "");
	assert_string_equal(told("receipt"), "");
	state(3, 6, 100, 110);
	assert_string_equal(told("seal"), "6");
}

static void
test_the_longest_text_fits(void **unused)
{
	char text[NEWEST_TEXT_SIZE];

	(void)unused;
	state(2147483647, INT64_MAX, INT64_MAX - 2, INT64_MAX - 1);
	receipt(INT64_MAX);
	state(2147483647, INT64_MAX, INT64_MAX - 2, INT64_MAX - 1);
	newest.aged.count = UINT64_MAX;
	assert_true(newest_text(&newest, text));
	assert_string_equal(text + strlen(text) - 1, "}");
	assert_true(strlen(text) < NEWEST_TEXT_SIZE - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing, set_up),
		cmocka_unit_test_setup(
		    test_receipts_until_a_seal_covers_them, set_up),
		cmocka_unit_test_setup(
		    test_those_that_wait_for_a_seal_add_up, set_up),
		cmocka_unit_test_setup(test_a_call_of_long_ago, set_up),
		cmocka_unit_test_setup(test_epochs, set_up),
		cmocka_unit_test_setup(test_the_longest_text_fits, set_up),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
