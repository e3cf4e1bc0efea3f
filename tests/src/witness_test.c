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
#define HEX_62                             \
	"abababababababababababababababab" \
	"ababababababababababababababab"

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
}

/* The anchors that are left, which are taken. */
static size_t
seals_left(void)
{
	size_t count = 0;

	while (spool_next(witness.seals) != NULL) {
		spool_take(witness.seals);
		count++;
	}
	return (count);
}

static void
test_seals_and_receipts(void **state)
{
	(void)state;
	read_text("{\"event\":\"seal\",\"no\":7,\"hash\":\"" HEX "\"}\n"
		  "{\"event\":\"request\",\"receipt\":70,\"receipt_hash\":"
		  "\"" HEX "\"}\n");
	assert_true(witness_begin(&witness));
	/* Of what it has not seen it has nothing to say. */
	assert_true(witness_seal_agrees(&witness, 6, other));
	assert_true(witness_seal_agrees(&witness, 7, hash));
	assert_true(witness_seal_agrees(&witness, 70, other));
	assert_true(witness_seals_end(&witness));
	assert_int_equal(witness.seals_lost, 0);
	assert_int_equal(witness.receipts_count, 1);
	assert_true(witness_row_agrees(&witness, 7, other));
	assert_false(witness.receipts[0].seen);
	assert_false(witness_row_agrees(&witness, 70, other));
	assert_true(witness.receipts[0].seen);
	assert_true(witness_row_agrees(&witness, 70, hash));
}

static void
test_lines_of_syslog(void **state)
{
	(void)state;
	read_text("Nov 23 09:00:00 host coffer: coffer {\"event\":\"seal\","
		  "\"no\":7,\"hash\":\"" HEX "\"}\n");
	assert_true(witness_begin(&witness));
	assert_false(witness_seal_agrees(&witness, 7, other));
}

/* Several files, and a seal that went out twice: all of them must agree. */
static void
test_more_than_once(void **state)
{
	(void)state;
	read_text("{\"event\":\"seal\",\"no\":7,\"hash\":\"" HEX "\"}\n"
		  "{\"event\":\"seal\",\"no\":6,\"hash\":\"" HEX "\"}\n"
		  "{\"receipt\":70,\"receipt_hash\":\"" HEX "\"}\n");
	read_text("{\"event\":\"seal\",\"no\":7,\"hash\":\"ac" HEX_62 "\"}\n"
		  "{\"event\":\"seal\",\"no\":6,\"hash\":\"" HEX "\"}\n"
		  "{\"receipt\":69,\"receipt_hash\":\"" HEX "\"}\n"
		  "{\"receipt\":70,\"receipt_hash\":\"ac" HEX_62 "\"}\n");
	assert_true(witness_begin(&witness));
	assert_true(witness_seal_agrees(&witness, 6, hash));
	assert_false(witness_seal_agrees(&witness, 7, hash));
	assert_true(witness_row_agrees(&witness, 69, hash));
	assert_false(witness_row_agrees(&witness, 70, hash));
	assert_int_equal(witness.receipts_count, 3);
	assert_true(witness.receipts[0].seen && witness.receipts[1].seen &&
	    witness.receipts[2].seen);
}

/* Those that no seal was compared with, each once. */
static void
test_seals_lost(void **state)
{
	(void)state;
	read_text("{\"event\":\"seal\",\"no\":5,\"hash\":\"" HEX "\"}\n"
		  "{\"event\":\"seal\",\"no\":6,\"hash\":\"" HEX "\"}\n"
		  "{\"event\":\"seal\",\"no\":8,\"hash\":\"" HEX "\"}\n"
		  "{\"event\":\"seal\",\"no\":8,\"hash\":\"" HEX "\"}\n"
		  "{\"event\":\"seal\",\"no\":9,\"hash\":\"" HEX "\"}\n");
	assert_true(witness_begin(&witness));
	assert_true(witness_seal_agrees(&witness, 5, hash));
	assert_true(witness_seal_agrees(&witness, 7, hash));
	assert_true(witness_seals_end(&witness));
	assert_int_equal(witness.seals_lost, 3);
	assert_int_equal(witness.seals_lost_first, 6);
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
	assert_true(witness_begin(&witness));
	assert_int_equal(seals_left(), 0);
	assert_int_equal(witness.receipts_count, 0);
	assert_false(witness_read(&witness, "no such file"));
}

static void
read_receipts(size_t from, size_t to)
{
	FILE *file = fopen(PATH, "w");
	size_t i;

	assert_non_null(file);
	for (i = from; i < to; i++) {
		fprintf(file,
		    "{\"receipt\":%zu,\"receipt_hash\":\"" HEX "\"}\n", i);
		if (i == from)
			fputs("{\"event\":\"seal\",\"no\":7,\"hash\":\"" HEX
			      "\"}\n",
			    file);
	}
	fclose(file);
	assert_true(witness_read(&witness, PATH));
}

static void
has_receipts(size_t from, size_t to)
{
	assert_int_equal(witness.receipts_count, to - from);
	assert_int_equal(witness.receipts[0].number, from);
	assert_int_equal(witness.receipts[to - from - 1].number, to - 1);
}

/* Of each file the last receipts, of all the highest; and all seals. */
static void
test_receipts_are_bounded(void **state)
{
	size_t i;

	(void)state;
	read_receipts(0, WITNESS_RECEIPTS + 10);
	has_receipts(10, WITNESS_RECEIPTS + 10);
	for (i = 1; i < 5; i++)
		read_receipts(
		    10 + WITNESS_RECEIPTS * i, 10 + WITNESS_RECEIPTS * (i + 1));
	has_receipts(10 + WITNESS_RECEIPTS,
	    10 + WITNESS_RECEIPTS + WITNESS_RECEIPTS_MAX);
	read_receipts(0, 10);
	has_receipts(10 + WITNESS_RECEIPTS,
	    10 + WITNESS_RECEIPTS + WITNESS_RECEIPTS_MAX);
	assert_true(witness_begin(&witness));
	assert_int_equal(seals_left(), 6);
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
		    test_seals_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_other_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_receipts_are_bounded, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
