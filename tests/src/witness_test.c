#include <stdio.h>
#include <string.h>

#include "../../src/witness.h"
#include "test.h"

#define PATH "witness_test.tmp"

static struct witness witness;
static unsigned char hash[CRYPTO_SHA256_SIZE], other[CRYPTO_SHA256_SIZE];

#define HEX                                \
	"abababababababababababababababab" \
	"abababababababababababababababab"

static int
set_up(void **state)
{
	(void)state;
	memset(&witness, 0, sizeof(witness));
	memset(hash, 0xab, sizeof(hash));
	memset(other, 0xac, sizeof(other));
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	witness_free(&witness);
	remove(PATH);
	return (0);
}

static void
read_text(const char *text)
{
	FILE *file = fopen(PATH, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_true(witness_read(&witness, PATH));
	witness_sort(&witness);
}

static void
test_seals_and_receipts(void **state)
{
	(void)state;
	read_text("{\"event\":\"seal\",\"no\":7,\"hash\":\"" HEX "\"}\n"
		  "{\"event\":\"request\",\"receipt\":70,\"receipt_hash\":"
		  "\"" HEX "\"}\n");
	assert_int_equal(witness.seals.count, 1);
	assert_int_equal(witness.receipts.count, 1);
	assert_false(witness.seals.entries[0].seen);
	assert_true(witness_agrees(&witness.seals, 7, hash));
	assert_true(witness.seals.entries[0].seen);
	assert_false(witness_agrees(&witness.seals, 7, other));
	/* Of what it has not seen it has nothing to say. */
	assert_true(witness_agrees(&witness.seals, 70, other));
	assert_false(witness.receipts.entries[0].seen);
	assert_false(witness_agrees(&witness.receipts, 70, other));
	assert_true(witness.receipts.entries[0].seen);
}

static void
test_lines_of_syslog(void **state)
{
	(void)state;
	read_text("Nov 23 09:00:00 host coffer: coffer {\"event\":\"seal\","
		  "\"no\":7,\"hash\":\"" HEX "\"}\n");
	assert_false(witness_agrees(&witness.seals, 7, other));
}

/* Several files, and a seal that went out twice: all of them must agree. */
static void
test_more_than_once(void **state)
{
	(void)state;
	read_text("{\"event\":\"seal\",\"no\":7,\"hash\":\"" HEX "\"}\n"
		  "{\"event\":\"seal\",\"no\":6,\"hash\":\"" HEX "\"}\n");
	read_text("{\"event\":\"seal\",\"no\":7,\"hash\":\"" HEX "\"}\n");
	assert_int_equal(witness.seals.count, 3);
	assert_true(witness_agrees(&witness.seals, 7, hash));
	assert_true(witness.seals.entries[1].seen);
	assert_true(witness.seals.entries[2].seen);
	assert_false(witness.seals.entries[0].seen);
	witness.seals.entries[1].hash[0] ^= 1;
	assert_false(witness_agrees(&witness.seals, 7, hash));
}

static void
test_other_lines(void **state)
{
	(void)state;
	read_text("\n{}\n{\n}{\nno JSON\n"
		  "{\"event\":\"seal\"}\n"
		  "{\"event\":\"seal\",\"no\":7}\n"
		  "{\"event\":\"seal\",\"no\":7,\"hash\":null}\n"
		  "{\"event\":\"seal\",\"no\":7,\"hash\":\"abab\"}\n"
		  "{\"event\":\"seal\",\"no\":7,\"hash\":\"" HEX "ab\"}\n"
		  "{\"event\":\"seal\",\"no\":7,\"hash\":\"zz" HEX "\n"
		  "{\"event\":\"seal\",\"no\":7,\"hash\":\"" HEX "\"\n"
		  "{\"event\":\"started\"}\n"
		  "{\"receipt\":70}\n");
	assert_int_equal(witness.seals.count, 0);
	assert_int_equal(witness.receipts.count, 0);
	assert_true(witness_agrees(&witness.seals, 7, hash));
	assert_false(witness_read(&witness, "no such file"));
}

/* Of each file the last receipts, and all seals. */
static void
test_receipts_are_bounded(void **state)
{
	FILE *file = fopen(PATH, "w");
	size_t i;

	(void)state;
	assert_non_null(file);
	for (i = 0; i < WITNESS_RECEIPTS + 10; i++) {
		fprintf(file,
		    "{\"receipt\":%zu,\"receipt_hash\":\"" HEX "\"}\n", i);
		if (i == 3)
			fputs("{\"event\":\"seal\",\"no\":7,\"hash\":\"" HEX
			      "\"}\n",
			    file);
	}
	fclose(file);
	assert_true(witness_read(&witness, PATH));
	witness_sort(&witness);
	assert_int_equal(witness.seals.count, 1);
	assert_int_equal(witness.receipts.count, WITNESS_RECEIPTS);
	assert_int_equal(witness.receipts.entries[0].number, 10);
	assert_int_equal(witness.receipts.entries[WITNESS_RECEIPTS - 1].number,
	    WITNESS_RECEIPTS + 9);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_seals_and_receipts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_lines_of_syslog, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_more_than_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_other_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_receipts_are_bounded, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
