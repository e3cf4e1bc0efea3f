#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "command/verify/receipt_log.h"
#include "tests/src/test.h"

#define PATH "receipt_log_test.tmp"

static struct receipt_log given_log;
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
	memset(&given_log, 0, sizeof(given_log));
	memset(hash, 0xab, sizeof(hash));
	memset(other, 0xac, sizeof(other));
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	receipt_log_free(&given_log);
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
	assert_true(receipt_log_read(&given_log, PATH));
}

/* The anchors that are left, which are taken. */
static size_t
seals_left(void)
{
	size_t count = 0;

	while (extsort_next(given_log.seals) != NULL) {
		extsort_take(given_log.seals);
		count++;
	}
	return (count);
}

/* What receipts say of rows 69 to 71, with a hash each; NULL: no such row. */
static void
assert_faults(const unsigned char *const hashes[3],
    const struct receipt_log_fault *expected)
{
	struct receipt_log_fault fault;
	int i;

	for (i = 0; i < 3; i++) {
		if (hashes[i] != NULL)
			receipt_log_row(&given_log, 69 + i, 0, 0, hashes[i]);
	}
	assert_true(receipt_log_rows_end(&given_log));
	for (; expected->row != 0; expected++) {
		assert_true(receipt_log_next_fault(&given_log, &fault));
		assert_int_equal(fault.row, expected->row);
		assert_int_equal(fault.lost, expected->lost);
	}
	assert_false(receipt_log_next_fault(&given_log, &fault));
	assert_true(receipt_log_is_whole(&given_log));
}

#define ROWS(...) ((const unsigned char *const[3]){ __VA_ARGS__ })
#define FAULTS(...) \
	((const struct receipt_log_fault[]){ __VA_ARGS__, { 0, false } })

static void
test_seals_and_receipts(void **state)
{
	(void)state;
	read_text("{\"event\":\"seal\",\"no\":7,\"hash\":\"" HEX "\"}\n"
		  "{\"event\":\"request\",\"receipt\":70,\"receipt_hash\":"
		  "\"" HEX "\"}\n");
	assert_true(receipt_log_begin(&given_log));
	/* Of what it has not seen it has nothing to say. */
	assert_true(receipt_log_seal_agrees(&given_log, 6, 1, other));
	assert_true(receipt_log_seal_agrees(&given_log, 7, 1, hash));
	assert_true(receipt_log_seal_agrees(&given_log, 70, 1, other));
	receipt_log_seals_end(&given_log, 1);
	assert_int_equal(given_log.seals_lost, 0);
	assert_faults(ROWS(other, hash, other), FAULTS({ 0, false }));
}

static void
test_receipts_of_other_rows(void **state)
{
	(void)state;
	read_text("{\"receipt\":71,\"receipt_hash\":\"" HEX "\"}\n"
		  "{\"receipt\":69,\"receipt_hash\":\"" HEX "\"}\n"
		  "{\"receipt\":70,\"receipt_hash\":\"" HEX "\"}\n");
	assert_true(receipt_log_begin(&given_log));
	assert_faults(
	    ROWS(NULL, other, hash), FAULTS({ 69, true }, { 70, false }));
	assert_int_equal(given_log.receipts_rows, 3);
	assert_int_equal(given_log.receipts_found, 2);
}

/* Of two rows with the number of a receipt, one is another. */
static void
test_a_row_that_is_there_twice(void **state)
{
	(void)state;
	read_text("{\"receipt\":70,\"receipt_hash\":\"" HEX "\"}\n");
	assert_true(receipt_log_begin(&given_log));
	receipt_log_row(&given_log, 70, 0, 0, other);
	assert_faults(ROWS(NULL, hash, NULL), FAULTS({ 70, false }));
}

static void
test_lines_of_syslog(void **state)
{
	(void)state;
	read_text("Nov 23 09:00:00 host coffer: coffer {\"event\":\"seal\","
		  "\"no\":7,\"hash\":\"" HEX "\"}\n");
	assert_true(receipt_log_begin(&given_log));
	assert_false(receipt_log_seal_agrees(&given_log, 7, 1, other));
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
	assert_true(receipt_log_begin(&given_log));
	assert_true(receipt_log_seal_agrees(&given_log, 6, 1, hash));
	assert_false(receipt_log_seal_agrees(&given_log, 7, 1, hash));
	assert_faults(ROWS(hash, hash, NULL), FAULTS({ 70, false }));
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
	assert_true(receipt_log_begin(&given_log));
	assert_true(receipt_log_seal_agrees(&given_log, 5, 1, hash));
	assert_true(receipt_log_seal_agrees(&given_log, 7, 1, hash));
	receipt_log_seals_end(&given_log, 1);
	assert_int_equal(given_log.seals_lost, 3);
	assert_int_equal(given_log.seals_found, 1);
	assert_int_equal(given_log.seals_found_last, 5);
	assert_int_equal(given_log.entries, 5);
	assert_int_equal(given_log.seals_lost_first, 6);
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
	assert_true(receipt_log_begin(&given_log));
	assert_int_equal(seals_left(), 0);
	assert_null(given_log.receipts);
	assert_int_equal(given_log.entries, 0);
	assert_false(receipt_log_read(&given_log, "no such file"));
}

/* However long ago a receipt was given out, and in whichever of the files. */
static void
test_many_receipts(void **state)
{
	const size_t some = EXTSORT_ROOM + 10;
	struct receipt_log_fault fault;
	size_t i, j;
	FILE *file;

	(void)state;
	for (j = 0; j < 4; j++) {
		file = fopen(PATH, "w");
		assert_non_null(file);
		for (i = j * some; i < (j + 1) * some; i++)
			fprintf(file,
			    "{\"receipt\":%zu,\"receipt_hash\":\"" HEX "\"}\n",
			    i);
		fclose(file);
		assert_true(receipt_log_read(&given_log, PATH));
	}
	assert_true(receipt_log_begin(&given_log));
	for (i = 4 * some; i > 0; i--) {
		if (i != 8)
			receipt_log_row(&given_log, (int64_t)i - 1, 0, 0,
			    i == 3 * some ? other : hash);
	}
	assert_true(receipt_log_rows_end(&given_log));
	assert_true(receipt_log_next_fault(&given_log, &fault));
	assert_true(fault.row == 7 && fault.lost);
	assert_true(receipt_log_next_fault(&given_log, &fault));
	assert_true(fault.row == (int64_t)(3 * some) - 1 && !fault.lost);
	assert_false(receipt_log_next_fault(&given_log, &fault));
	assert_true(receipt_log_is_whole(&given_log));
}

/* Rows that cannot be kept are not taken for rows that fit. */
static void
test_no_room_for_rows(void **state)
{
	struct rlimit before, page;
	int64_t i;

	(void)state;
	read_text("{\"receipt\":1,\"receipt_hash\":\"" HEX "\"}\n"
		  "{\"receipt\":999999,\"receipt_hash\":\"" HEX "\"}\n");
	assert_true(receipt_log_begin(&given_log));
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	page = before;
	page.rlim_cur = 4096;
	setrlimit(RLIMIT_FSIZE, &page);
	for (i = 1; i <= EXTSORT_ROOM + 1; i++)
		receipt_log_row(&given_log, i, 0, 0, hash);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_false(receipt_log_rows_end(&given_log));
	assert_false(receipt_log_is_whole(&given_log));
}

#define SEAL(no, epoch)                                        \
	"{\"event\":\"seal\",\"no\":" #no ",\"epoch\":" #epoch \
	",\"hash\":\"" HEX "\"}\n"

/* An epoch that ended before a seal of its number is no part of the next. */
static void
test_seals_of_an_epoch_that_has_ended(void **state)
{
	(void)state;
	read_text(SEAL(5, 1) SEAL(6, 1) SEAL(7, 1) SEAL(6, 2));
	assert_true(receipt_log_begin(&given_log));
	assert_true(receipt_log_seal_agrees(&given_log, 5, 1, hash));
	assert_true(receipt_log_seal_agrees(&given_log, 6, 2, hash));
	assert_true(receipt_log_seal_agrees(&given_log, 7, 2, other));
	receipt_log_seals_end(&given_log, 2);
	assert_int_equal(given_log.seals_found, 2);
	assert_int_equal(given_log.seals_lost, 0);
	assert_int_equal(given_log.seals_ended, 2);
	assert_int_equal(given_log.seals_ended_first, 6);
	assert_int_equal(given_log.seals_ended_last, 7);
}

/* The same beyond the last seal, but not of the epoch that goes on. */
static void
test_seals_after_the_last(void **state)
{
	(void)state;
	read_text(SEAL(8, 1) SEAL(9, 2) SEAL(10, 3));
	assert_true(receipt_log_begin(&given_log));
	assert_true(receipt_log_seal_agrees(&given_log, 5, 1, hash));
	receipt_log_seals_end(&given_log, 2);
	assert_int_equal(given_log.seals_ended, 1);
	assert_int_equal(given_log.seals_lost, 2);
	assert_int_equal(given_log.seals_lost_first, 9);
	assert_int_equal(given_log.seals_lost_last, 10);
}

/* A database from before an epoch that was anchored lacks it. */
static void
test_seals_of_a_later_epoch(void **state)
{
	(void)state;
	read_text(SEAL(6, 2));
	assert_true(receipt_log_begin(&given_log));
	assert_true(receipt_log_seal_agrees(&given_log, 6, 1, other));
	receipt_log_seals_end(&given_log, 1);
	assert_int_equal(given_log.seals_lost, 1);
	assert_int_equal(given_log.seals_ended, 0);
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
		    test_seals_of_an_epoch_that_has_ended, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_seals_after_the_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_seals_of_a_later_epoch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_seals_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_other_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_receipts_of_other_rows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_a_row_that_is_there_twice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_many_receipts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_no_room_for_rows, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
