#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "command/verify/chain.h"
#include "command/verify/evidence.h"
#include "command/verify/rows.h"
#include "command/verify/verify.h"
#include "tests/src/pgcopy_write.h"
#include "tests/src/test.h"

#define SEALS "verify_test.seals"
#define EVENTS "verify_test.events"
#define FOUND "verify_test.found"

#define COLUMNS 20 /* of a row, before its hash */
#define MONTH 9801 /* 2026-11-01, in days since 2000 */
#define DAY 86400000000

/* A small audit: two rows in seal 1, one in seal 2, one without a seal. */
struct seal {
	int64_t no, xid_from, xid_to, n;
	int32_t epoch, month;
	unsigned char root[32], prev[32], hash[32], signature[64];
	bool is_signed, left_out;
	bool is_refitted; /* n is in the field of xid_to, as its end */
};

struct row {
	int64_t id, xid, at;
	int32_t epoch;
	const char *method;
	const char *request; /* of jsonb; NULL: none that is read */
	int seal; /* that it is in; 0: in none */
	unsigned char hash[32];
	bool left_out;
};

static struct seal seals[4]; /* the last closes the month, in an export */
static struct row rows[4];
static const unsigned char private_key[32] = { 1, 2, 3 };
static unsigned char public_key[32];
static const char *signer; /* that seals name */
static struct verify verify;
static struct receipt_log given_log;

/* As record_send writes it: number of columns, and of each type and size. */
static const struct {
	uint32_t type;
	uint32_t size;
} columns[COLUMNS] = { { 20, 8 }, { 20, 8 }, { 23, 4 }, { 1184, 8 },
	{ 2950, 16 }, { 2950, 16 }, { 25, 4 }, { 2950, 16 }, { 2950, 16 },
	{ 2950, 16 }, { 869, 8 }, { 25, 0 }, { 25, 6 }, { 25, 6 }, { 2950, 16 },
	{ 2950, 16 }, { 23, 4 }, { 21, 2 }, { 25, 0 }, { 3802, 5 } };

static uint64_t
big_64(int64_t number)
{
	return (htobe64((uint64_t)number));
}

static uint32_t
big_32(int64_t number)
{
	return (htobe32((uint32_t)number));
}

/* A column of a row, where error, the one before the last, is null. */
static const void *
column(const struct row *row, int i)
{
	static unsigned char bytes[16];
	const uint64_t numbers[] = { big_64(row->id), big_64(row->xid), 0,
		big_64(row->at) };
	const uint32_t epoch = big_32(row->epoch);

	memset(bytes, i, sizeof(bytes));
	if (i == 18)
		return (NULL);
	if (i == 2)
		memcpy(bytes, &epoch, sizeof(epoch));
	else if (i < 4)
		memcpy(bytes, &numbers[i], sizeof(numbers[i]));
	else if (i == 12)
		return (row->method);
	else if (i == 19 && row->request != NULL)
		return (row->request);
	return (bytes);
}

static uint32_t
column_size(const struct row *row, int i)
{
	if (i == 12)
		return ((uint32_t)strlen(row->method));
	if (i == 19 && row->request != NULL)
		return ((uint32_t)strlen(row->request));
	return (columns[i].size);
}

static void
hash_row(struct row *row)
{
	unsigned char bytes[1024] = "coffer-au1";
	size_t used = 10;
	uint32_t number = big_32(COLUMNS);
	const void *value;
	int i;

	memcpy(bytes + used, &number, 4);
	used += 4;
	for (i = 0; i < COLUMNS; i++) {
		value = column(row, i);
		number = big_32(columns[i].type);
		memcpy(bytes + used, &number, 4);
		number =
		    big_32(value == NULL ? -1 : (int64_t)column_size(row, i));
		memcpy(bytes + used + 4, &number, 4);
		used += 8;
		if (value == NULL)
			continue;
		memcpy(bytes + used, value, column_size(row, i));
		used += column_size(row, i);
	}
	crypto_sha256(bytes, used, row->hash);
}

static void
hash_seal(struct seal *seal)
{
	unsigned char bytes[126] = "coffer-se1";
	const uint64_t no = big_64(seal->no), from = big_64(seal->xid_from),
		       to = big_64(seal->xid_to), n = big_64(seal->n),
		       at = big_64(0);
	const uint32_t epoch = big_32(seal->epoch), month = big_32(seal->month);

	memcpy(bytes + 10, &no, 8);
	memcpy(bytes + 18, &epoch, 4);
	memcpy(bytes + 22, &month, 4);
	memcpy(bytes + 26, &from, 8);
	memcpy(bytes + 34, &to, 8);
	memcpy(bytes + 42, &n, 8);
	memcpy(bytes + 50, seal->root, 32);
	memcpy(bytes + 82, seal->prev, 32);
	memcpy(bytes + 114, &at, 8);
	crypto_sha256(bytes, 122, seal->hash);
	crypto_sign(private_key, seal->hash, 32, seal->signature);
	seal->is_signed = true;
}

/* Seals anew what there is. */
static void
make_chain(void)
{
	unsigned char hashes[64];
	size_t used;
	int i, j;

	for (i = 0; i < 4; i++)
		hash_row(&rows[i]);
	for (i = 0; i < 3; i++) {
		used = 0;
		for (j = 0; j < 4; j++) {
			if (i == 0 || rows[j].seal != i)
				continue;
			memcpy(hashes + used, rows[j].hash, 32);
			used += 32;
		}
		crypto_sha256(hashes, used, seals[i].root);
		if (i > 0)
			memcpy(seals[i].prev, seals[i - 1].hash, 32);
		hash_seal(&seals[i]);
	}
}

/* Exports the month: what is not sealed is no part of it. */
static void
export_month(void)
{
	unsigned char bytes[10 + 3 * 32] = "coffer-mo1";
	int i;

	for (i = 0; i < 3; i++)
		memcpy(bytes + 10 + i * 32, seals[i].hash, 32);
	crypto_sha256(bytes, sizeof(bytes), seals[3].root);
	memcpy(seals[3].prev, seals[2].hash, 32);
	hash_seal(&seals[3]);
	seals[3].left_out = false;
	rows[3].left_out = true;
	verify.partial = true;
}

static void
receipt_log_all(void)
{
	struct extsort_entry entry;
	int i;

	verify.log = &given_log;
	given_log.seals = extsort_new();
	for (i = 0; i < 3; i++) {
		entry.number = seals[i].no * 65536; /* without an epoch */
		memcpy(entry.hash, seals[i].hash, 32);
		assert_true(extsort_add(given_log.seals, &entry));
	}
	given_log.receipts = extsort_new();
	given_log.receipts_first = rows[0].id;
	given_log.receipts_last = rows[3].id;
	for (i = 0; i < 4; i++) {
		entry.number = rows[i].id;
		memcpy(entry.hash, rows[i].hash, 32);
		assert_true(extsort_add(given_log.receipts, &entry));
	}
	assert_true(receipt_log_begin(&given_log));
}

static int
set_up(void **state)
{
	static const struct seal some_seals[] = {
		{ .no = 0, .xid_from = 10, .xid_to = 10 },
		{ .no = 1, .xid_from = 10, .xid_to = 20, .n = 2 },
		{ .no = 2, .xid_from = 20, .xid_to = 30, .n = 1 },
		{ .no = 3, .xid_from = 30, .xid_to = 30, .left_out = true },
	};
	static const struct row some_rows[] = {
		{ .id = 1, .xid = 10, .seal = 1 },
		{ .id = 2, .xid = 10, .seal = 1 },
		{ .id = 4, .xid = 20, .seal = 2 },
		{ .id = 5, .xid = 30 },
	};
	int i;

	(void)state;
	memcpy(seals, some_seals, sizeof(seals));
	memcpy(rows, some_rows, sizeof(rows));
	for (i = 0; i < 4; i++) {
		seals[i].epoch = 1;
		seals[i].month = MONTH;
	}
	for (i = 0; i < 4; i++) {
		rows[i].epoch = 1;
		rows[i].at = MONTH * DAY + i;
		rows[i].method = "method";
	}
	make_chain();
	memset(&verify, 0, sizeof(verify));
	memset(&given_log, 0, sizeof(given_log));
	crypto_public(private_key, public_key);
	verify_trust(&verify, public_key);
	signer = verify.keys[0].signer;
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	verify_free(&verify);
	receipt_log_free(&given_log);
	remove(SEALS);
	remove(EVENTS);
	remove(FOUND);
	return (0);
}

static void
write_number(FILE *file, int64_t number)
{
	const uint64_t big = big_64(number);

	pgcopy_write_field(file, &big, sizeof(big));
}

static void
write_small(FILE *file, int64_t number)
{
	const uint32_t big = big_32(number);

	pgcopy_write_field(file, &big, sizeof(big));
}

static void
write_files(void)
{
	FILE *file = fopen(SEALS, "w");
	const struct seal *seal;
	const struct row *row;
	int i;

	assert_non_null(file);
	pgcopy_write_head(file, 0);
	for (seal = seals; seal < seals + 4; seal++) {
		if (seal->left_out)
			continue;
		pgcopy_write_16(file, 15);
		write_number(file, seal->no);
		write_small(file, seal->epoch);
		write_small(file, seal->month);
		write_number(file, seal->xid_from);
		if (seal->is_refitted) {
			const uint64_t both[] = { big_64(seal->xid_to),
				big_64(seal->n) };

			pgcopy_write_field(file, both, sizeof(both));
			pgcopy_write_field(file, "", 0);
		} else {
			write_number(file, seal->xid_to);
			write_number(file, seal->n);
		}
		pgcopy_write_field(file, seal->root, 32);
		pgcopy_write_field(file, seal->prev, 32);
		write_number(file, 0);
		pgcopy_write_field(file, seal->hash, 32);
		pgcopy_write_field(file, signer, 16);
		pgcopy_write_field(
		    file, seal->is_signed ? seal->signature : NULL, 64);
		pgcopy_write_field(file, NULL, 0);
		pgcopy_write_field(file, NULL, 0);
		pgcopy_write_field(file, seal->no == 0 ? "12345678" : NULL, 8);
	}
	pgcopy_write_end(file);
	fclose(file);
	file = fopen(EVENTS, "w");
	assert_non_null(file);
	pgcopy_write_head(file, 0);
	for (row = rows; row < rows + 4; row++) {
		if (row->left_out)
			continue;
		pgcopy_write_16(file, COLUMNS + 1);
		for (i = 0; i < COLUMNS; i++)
			pgcopy_write_field(
			    file, column(row, i), column_size(row, i));
		pgcopy_write_field(file, row->hash, 32);
	}
	pgcopy_write_end(file);
	fclose(file);
}

/* What a function prints: "kind place, kind place", or "". */
static const char *
printed(void (*print)(void))
{
	static char text[1024];
	char line[256];
	FILE *file = fopen(FOUND, "w+");
	int output;

	assert_non_null(file);
	fflush(stdout);
	output = dup(STDOUT_FILENO);
	dup2(fileno(file), STDOUT_FILENO);
	print();
	fflush(stdout);
	dup2(output, STDOUT_FILENO);
	close(output);
	text[0] = '\0';
	rewind(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, ":")] = '\0';
		if (text[0] != '\0')
			strcat(text, ", ");
		strcat(text, line);
	}
	fclose(file);
	return (text);
}

static void
verify_all(void)
{
	struct pgcopy *chain = pgcopy_open(SEALS), *again = pgcopy_open(SEALS),
		      *events = pgcopy_open(EVENTS);

	chain_verify(&verify, chain);
	rows_verify(&verify, again, events);
	evidence_verify(&verify);
	pgcopy_free(chain);
	pgcopy_free(again);
	pgcopy_free(events);
}

static const char *
found(void)
{
	const char *text;

	verify.damages = 0;
	months_free(&verify.months);
	memset(&verify.months, 0, sizeof(verify.months));
	write_files();
	text = printed(verify_all);
	assert_int_equal(verify.damages == 0, text[0] == '\0');
	return (text);
}

static void
test_sound(void **state)
{
	(void)state;
	receipt_log_all();
	assert_string_equal(found(), "");
	assert_int_equal(verify.seals, 3);
	assert_int_equal(verify.rows, 4);
	assert_int_equal(verify.unsealed, 1);
	assert_int_equal(verify.unsigned_seals, 0);
	assert_int_equal(verify.unanchored, 0);
}

static void
test_row_changed(void **state)
{
	(void)state;
	rows[1].method = "mothod";
	assert_string_equal(found(), "row_changed row 2");
}

static void
test_row_and_its_hash_changed(void **state)
{
	(void)state;
	receipt_log_all();
	rows[1].method = "mothod";
	hash_row(&rows[1]);
	assert_string_equal(
	    found(), "rows_exchanged seal 1, receipt_differs row 2");
}

static void
test_row_missing(void **state)
{
	(void)state;
	receipt_log_all();
	rows[0].left_out = true;
	assert_string_equal(found(), "rows_missing seal 1, receipt_lost row 1");
}

static void
test_tail_missing(void **state)
{
	(void)state;
	receipt_log_all();
	rows[2].left_out = rows[3].left_out = true;
	assert_string_equal(found(), "rows_missing seal 2, receipt_lost row 4");
}

static void
test_row_added(void **state)
{
	(void)state;
	rows[3].xid = 25;
	hash_row(&rows[3]);
	assert_string_equal(found(), "rows_added seal 2");
}

/* Of a month, or an epoch, that has no seal though transactions have. */
static void
test_row_elsewhere(void **state)
{
	(void)state;
	rows[3].xid = 25;
	rows[3].at += 30 * DAY;
	hash_row(&rows[3]);
	assert_string_equal(found(), "row_unsealed row 5");
}

static void
test_row_of_an_unknown_epoch(void **state)
{
	(void)state;
	rows[3].epoch = 77;
	hash_row(&rows[3]);
	assert_string_equal(found(), "row_unsealed row 5");
}

/* The last day and the first of a month, in any time zone of the machine. */
static void
test_turn_of_the_month(void **state)
{
	(void)state;
	rows[0].at = MONTH * DAY;
	rows[2].at = (MONTH + 30) * DAY - 1;
	make_chain();
	assert_string_equal(found(), "");
	rows[2].at++;
	make_chain();
	assert_string_equal(found(), "row_unsealed row 4, rows_missing seal 2");
}

/* There rows of both months may alternate; each month has its seal. */
static void
test_two_months_in_one_range(void **state)
{
	(void)state;
	seals[2].xid_from = 10;
	seals[2].xid_to = 20;
	seals[2].month = MONTH + 30;
	rows[1].at += 30 * DAY;
	rows[1].seal = 2;
	rows[2].xid = 15;
	rows[2].seal = 1;
	make_chain();
	assert_string_equal(found(), "");
	rows[1].left_out = true;
	assert_string_equal(found(), "month_missing month 2026-12-01");
	rows[1].left_out = false;
	rows[2].left_out = true;
	assert_string_equal(found(), "rows_missing seal 1");
	rows[2].left_out = false;
	rows[2].at += 30 * DAY;
	hash_row(&rows[2]);
	assert_string_equal(found(), "rows_missing seal 1, rows_added seal 2");
}

/* Seal 2 is of the next month, and its row says that this one was dropped. */
static void
drop_month(const char *request)
{
	seals[2].month = MONTH + 30;
	rows[2].at += 30 * DAY;
	rows[2].method = "operator.audit_drop_month";
	rows[2].request = request;
	rows[3].at += 30 * DAY;
	make_chain();
	rows[0].left_out = rows[1].left_out = true;
}

#define DROPPED                                   \
	"\1{\"month\":\"2026-11-01\",\"rows\":2," \
	"\"first_id\":1,\"last_id\":2,\"earlier\":[]}"

static void
test_month_dropped(void **state)
{
	(void)state;
	drop_month(DROPPED);
	receipt_log_all();
	assert_string_equal(found(), "");
	assert_true(verify.months.drops[0].believed);
}

/* More receipts are gone than the month had rows, or others than its own. */
static void
test_month_dropped_and_more(void **state)
{
	(void)state;
	drop_month("\1{\"month\":\"2026-11-01\",\"rows\":2,"
		   "\"first_id\":1,\"last_id\":5}");
	rows[3].left_out = true;
	receipt_log_all();
	assert_string_equal(found(), "receipt_lost row 5");
}

static void
test_month_not_dropped(void **state)
{
	static const char *const requests[] = { NULL, "\1[]", "\1",
		"\2{\"month\":\"2026-11-01\",\"rows\":2}",
		"\1{\"month\":\"2026-11-01\"}",
		"\1{\"month\":\"2026-10-01\",\"rows\":2}",
		"\1{\"month\":\"2026-11-01\",\"rows\":3}" };
	size_t i;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		tear_down(state);
		set_up(state);
		drop_month(requests[i]);
		assert_string_equal(found(), "month_missing month 2026-11-01");
	}
}

/* What says so is not sealed, or not what was sealed. */
static void
test_month_said_to_be_dropped(void **state)
{
	(void)state;
	drop_month(DROPPED);
	rows[2].xid = 30;
	hash_row(&rows[2]);
	assert_string_equal(
	    found(), "month_missing month 2026-11-01, rows_missing seal 2");
	tear_down(state);
	set_up(state);
	drop_month("\1{\"month\":\"2026-11-01\",\"rows\":1}");
	rows[2].request = DROPPED;
	assert_string_equal(
	    found(), "row_changed row 4, month_missing month 2026-11-01");
	hash_row(&rows[2]);
	assert_string_equal(
	    found(), "rows_exchanged seal 2, month_missing month 2026-11-01");
}

/* A row in a month that was dropped is none that was there before. */
static void
test_month_dropped_with_a_row(void **state)
{
	(void)state;
	drop_month(DROPPED);
	rows[3].xid = 25;
	rows[3].at -= 30 * DAY;
	hash_row(&rows[3]);
	assert_string_equal(found(), "row_unsealed row 5, rows_missing seal 1");
}

static void
test_seal_changed(void **state)
{
	(void)state;
	seals[1].n = 3;
	assert_string_equal(
	    found(), "seal_changed seal 1, rows_missing seal 1");
}

static void
test_seal_made_anew(void **state)
{
	(void)state;
	receipt_log_all();
	seals[1].xid_to = 19;
	hash_seal(&seals[1]);
	assert_string_equal(found(),
	    "anchor_differs seal 1, chain_broken seal 2, seal_gap seal 2");
}

static void
test_seal_missing(void **state)
{
	(void)state;
	receipt_log_all();
	seals[1].left_out = true;
	assert_string_equal(found(),
	    "seal_missing seal 2, row_unsealed row 1, row_unsealed row 2, "
	    "anchor_lost seal 1");
}

/* Seals in another order could not be compared with anchors. */
static void
test_seals_out_of_order(void **state)
{
	const struct seal first = seals[1];

	(void)state;
	seals[1] = seals[2];
	seals[2] = first;
	assert_string_equal(found(),
	    "seal_missing seal 2, chain_broken seal 1, row_unsealed row 1, "
	    "row_unsealed row 2, rows_missing seal 1");
}

static void
test_first_seal_missing(void **state)
{
	(void)state;
	seals[0].left_out = true;
	assert_string_equal(found(), "seal_missing seal 1");
}

static void
test_all_seals_missing(void **state)
{
	(void)state;
	seals[0].left_out = seals[1].left_out = seals[2].left_out = true;
	assert_string_equal(found(),
	    "seal_missing seal 0, row_unsealed row 1, row_unsealed row 2, "
	    "row_unsealed row 4, row_unsealed row 5");
}

static void
test_end_cut_off(void **state)
{
	(void)state;
	receipt_log_all();
	seals[2].left_out = rows[2].left_out = rows[3].left_out = true;
	assert_string_equal(found(), "anchor_lost seal 2, receipt_lost row 4");
}

static void
test_signatures(void **state)
{
	(void)state;
	seals[1].signature[0] ^= 1;
	assert_string_equal(found(), "signature_wrong seal 1");
}

static void
test_signature_missing(void **state)
{
	(void)state;
	seals[0].is_signed = seals[1].is_signed = false;
	assert_string_equal(found(), "seal_unsigned seal 0");
}

/* The last may wait for theirs; how many is said. */
static void
test_signatures_to_come(void **state)
{
	(void)state;
	seals[1].is_signed = seals[2].is_signed = false;
	assert_string_equal(found(), "");
	assert_int_equal(verify.unsigned_seals, 2);
}

static void
test_no_key_is_trusted(void **state)
{
	(void)state;
	verify.keys_count = 0;
	seals[1].signature[0] ^= 1;
	assert_string_equal(found(), "");
}

/* One of many keys is enough; none of them is not. */
static void
test_keys(void **state)
{
	unsigned char other[32] = { 7 };

	(void)state;
	verify.keys_count = 0;
	for (; other[1] < 40; other[1]++)
		verify_trust(&verify, other);
	assert_string_equal(found(),
	    "signature_wrong seal 0, signature_wrong seal 1, "
	    "signature_wrong seal 2");
	verify_trust(&verify, public_key);
	signer = verify.keys[40].signer;
	assert_string_equal(found(), "");
}

static void
test_signer_exchanged(void **state)
{
	(void)state;
	signer = "0123456789abcdef";
	assert_string_equal(found(),
	    "signer_wrong seal 0, signer_wrong seal 1, signer_wrong seal 2");
	signer = NULL;
	assert_string_equal(found(),
	    "signer_wrong seal 0, signer_wrong seal 1, signer_wrong seal 2");
}

/* An export of one month has not the anchors and receipts of others. */
static void
test_export(void **state)
{
	struct extsort_entry entry = { .number = 1000000 };

	(void)state;
	verify.log = &given_log;
	given_log.seals = extsort_new();
	assert_true(extsort_add(given_log.seals, &entry));
	given_log.receipts = extsort_new();
	given_log.receipts_first = given_log.receipts_last = entry.number;
	assert_true(extsort_add(given_log.receipts, &entry));
	assert_true(receipt_log_begin(&given_log));
	export_month();
	assert_string_equal(found(), "");
}

/* What is found of what is cut out of an export. */
static const char *
found_cut(unsigned int cut_seals)
{
	int i;

	export_month();
	for (i = 0; i < 4; i++)
		seals[i].left_out = (cut_seals >> i & 1) != 0;
	for (i = 0; i < 3; i++)
		rows[i].left_out = seals[rows[i].seal].left_out;
	closing_free(&verify.closing);
	return (found());
}

/* Each part of the seals, together with their rows. */
static void
test_cut_exports(void **state)
{
	unsigned int cut;

	(void)state;
	assert_string_equal(found_cut(0), "");
	for (cut = 1; cut < 8; cut++) {
		verify.unsigned_seals = 0;
		assert_string_equal(found_cut(cut), "seal_missing seal 3");
	}
	for (; cut < 15; cut++)
		assert_non_null(strstr(found_cut(cut), "seal_missing seal "));
}

static void
test_export_with_more_rows(void **state)
{
	(void)state;
	export_month();
	rows[3].left_out = false;
	assert_string_equal(found(), "row_unsealed row 5");
}

static void
test_export_without_signatures(void **state)
{
	(void)state;
	export_month();
	seals[3].is_signed = false;
	assert_string_equal(found(), "seal_unsigned seal 3");
}

/* A month is closed with all seals that it has, on a live database too. */
static void
test_closed_with_other_seals(void **state)
{
	(void)state;
	export_month();
	verify.partial = false;
	assert_string_equal(found(), "");
	closing_free(&verify.closing);
	seals[3].root[0] ^= 1;
	hash_seal(&seals[3]);
	assert_string_equal(found(), "seal_changed seal 3");
}

/* Its bytes, and so its hash and signature, are those of a seal. */
static void
test_seal_with_refitted_fields(void **state)
{
	(void)state;
	export_month();
	seals[1].is_refitted = true;
	rows[0].left_out = rows[1].left_out = true;
	assert_string_equal(
	    found(), "seal_changed seal 1, seal_missing seal 3");
}

/* That a seal was anchored is a note, which is held against anchors. */
static void
test_anchors_that_are_not_given(void **state)
{
	struct extsort_entry entry = { .number = 65536 };

	(void)state;
	verify.log = &given_log;
	given_log.seals = extsort_new();
	memcpy(entry.hash, seals[1].hash, 32);
	assert_true(extsort_add(given_log.seals, &entry));
	assert_true(receipt_log_begin(&given_log));
	assert_string_equal(found(), "");
	assert_int_equal(verify.unanchored, 1);
}

/* The log has anchors of seals before the month that was exported, too. */
static void
test_anchors_of_seals_before(void **state)
{
	struct extsort_entry entry = { .number = -65536 };
	int i;

	(void)state;
	export_month();
	verify.log = &given_log;
	given_log.seals = extsort_new();
	assert_true(extsort_add(given_log.seals, &entry));
	for (i = 0; i < 4; i++) {
		entry.number = seals[i].no * 65536;
		memcpy(entry.hash, seals[i].hash, 32);
		assert_true(extsort_add(given_log.seals, &entry));
	}
	assert_true(receipt_log_begin(&given_log));
	assert_string_equal(found(), "");
	assert_int_equal(verify.unanchored, 0);
}

static void
test_epochs(void **state)
{
	(void)state;
	seals[2].epoch = 2;
	seals[2].n = 0;
	seals[2].xid_from = seals[2].xid_to = 5;
	rows[2].epoch = rows[3].epoch = 2;
	rows[2].xid = 5;
	rows[3].xid = 6;
	make_chain();
	assert_string_equal(found(), "");
	assert_int_equal(verify.unsealed, 2);
}

/* All rows of an epoch that has ended are sealed. */
static void
test_row_of_an_epoch_that_has_ended(void **state)
{
	(void)state;
	seals[2].epoch = 2;
	seals[2].n = 0;
	seals[2].xid_from = seals[2].xid_to = 30;
	rows[2].left_out = true;
	make_chain();
	assert_string_equal(found(), "row_unsealed row 5");
}

/* An epoch begins with a seal over nothing, and none is left out. */
static void
test_epoch_that_begins_wrong(void **state)
{
	(void)state;
	seals[2].epoch = 3;
	seals[2].n = 0;
	seals[2].xid_from = seals[2].xid_to;
	rows[2].left_out = rows[3].left_out = true;
	make_chain();
	assert_string_equal(found(), "seal_gap seal 2");
}

/* A file that was cut off is not taken for a whole one. */
static void
test_unreadable(void **state)
{
	(void)state;
	write_files();
	assert_int_equal(truncate(EVENTS, 100), 0);
	assert_string_equal(printed(verify_all),
	    "unreadable input, month_missing month 2026-11-01");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define VERIFY_TEST(name) \
	cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
		VERIFY_TEST(sound),
		VERIFY_TEST(row_changed),
		VERIFY_TEST(row_and_its_hash_changed),
		VERIFY_TEST(row_missing),
		VERIFY_TEST(tail_missing),
		VERIFY_TEST(row_added),
		VERIFY_TEST(row_elsewhere),
		VERIFY_TEST(row_of_an_unknown_epoch),
		VERIFY_TEST(turn_of_the_month),
		VERIFY_TEST(two_months_in_one_range),
		VERIFY_TEST(month_dropped),
		VERIFY_TEST(month_dropped_and_more),
		VERIFY_TEST(month_not_dropped),
		VERIFY_TEST(month_said_to_be_dropped),
		VERIFY_TEST(month_dropped_with_a_row),
		VERIFY_TEST(seal_changed),
		VERIFY_TEST(seal_made_anew),
		VERIFY_TEST(seal_missing),
		VERIFY_TEST(seals_out_of_order),
		VERIFY_TEST(first_seal_missing),
		VERIFY_TEST(all_seals_missing),
		VERIFY_TEST(end_cut_off),
		VERIFY_TEST(signatures),
		VERIFY_TEST(signature_missing),
		VERIFY_TEST(signatures_to_come),
		VERIFY_TEST(no_key_is_trusted),
		VERIFY_TEST(keys),
		VERIFY_TEST(signer_exchanged),
		VERIFY_TEST(anchors_that_are_not_given),
		VERIFY_TEST(anchors_of_seals_before),
		VERIFY_TEST(export),
		VERIFY_TEST(cut_exports),
		VERIFY_TEST(export_with_more_rows),
		VERIFY_TEST(export_without_signatures),
		VERIFY_TEST(closed_with_other_seals),
		VERIFY_TEST(seal_with_refitted_fields),
		VERIFY_TEST(epochs),
		VERIFY_TEST(row_of_an_epoch_that_has_ended),
		VERIFY_TEST(epoch_that_begins_wrong),
		VERIFY_TEST(unreadable),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
