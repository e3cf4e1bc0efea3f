#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/verify/receipt_log.h"

/* Not sscanf, which takes half of the time of a large log. */
static bool
witness_digits(const char *text, unsigned char *byte)
{
	static const char digits[] = "0123456789abcdef";
	const char *high = strchr(digits, text[0]);
	const char *low = strchr(digits, text[1]);

	if (high == NULL || low == NULL)
		return (false);
	*byte = (unsigned char)((high - digits) << 4 | (low - digits));
	return (true);
}

static bool
witness_hash(struct json_object *line, const char *name, unsigned char *hash)
{
	struct json_object *value;
	const char *text;
	size_t i;

	if (!json_object_object_get_ex(line, name, &value))
		return (false);
	text = json_object_get_string(value);
	if (text == NULL || strlen(text) != 2 * CRYPTO_SHA256_SIZE)
		return (false);
	for (i = 0; i < CRYPTO_SHA256_SIZE; i++) {
		if (!witness_digits(text + 2 * i, &hash[i]))
			return (false);
	}
	return (true);
}

static bool
witness_receipt(struct receipt_log *witness, const struct extsort_entry *entry)
{
	if (witness->receipts == NULL) {
		witness->receipts = extsort_new();
		witness->receipts_first = entry->number;
		witness->receipts_last = entry->number;
	}
	if (entry->number < witness->receipts_first)
		witness->receipts_first = entry->number;
	if (entry->number > witness->receipts_last)
		witness->receipts_last = entry->number;
	return (extsort_add(witness->receipts, entry));
}

/*
 * Seals are kept in the order of their numbers, and of one number in that of
 * epochs; 0: the line names none.
 */
#define WITNESS_EPOCHS 65536

static int64_t
witness_seal_key(struct json_object *line, int64_t no)
{
	struct json_object *value;
	int64_t epoch = 0;

	if (json_object_object_get_ex(line, "epoch", &value))
		epoch = json_object_get_int64(value);
	if (epoch < 0 || epoch >= WITNESS_EPOCHS)
		epoch = 0;
	if (no < 0 || no > INT64_MAX / WITNESS_EPOCHS - 1)
		no = INT64_MAX / WITNESS_EPOCHS - 1;
	return (no * WITNESS_EPOCHS + epoch);
}

static int64_t
witness_seal_no(const struct extsort_entry *entry)
{
	return (entry->number / WITNESS_EPOCHS);
}

static int64_t
witness_seal_epoch(const struct extsort_entry *entry)
{
	return (entry->number % WITNESS_EPOCHS);
}

/*
 * A line of the log may have something before it, as syslog's lines do.  False
 * when it cannot be kept.
 */
static bool
witness_line(struct receipt_log *witness, const char *text)
{
	struct json_object *line, *number;
	const char *json = strchr(text, '{');
	struct extsort_entry entry = { .number = 0 };
	bool is_seal, kept = true;

	if (json == NULL)
		return (true);
	is_seal = strstr(json, "\"event\":\"seal\"") != NULL;
	if (!is_seal && strstr(json, "\"receipt\":") == NULL &&
	    !coverage_is_event(json))
		return (true);
	line = json_tokener_parse(json);
	coverage_hear(&witness->coverage, line);
	if (json_object_object_get_ex(
		line, is_seal ? "no" : "receipt", &number) &&
	    witness_hash(line, is_seal ? "hash" : "receipt_hash", entry.hash)) {
		entry.number = json_object_get_int64(number);
		witness->entries++;
		if (is_seal) {
			entry.number = witness_seal_key(line, entry.number);
			kept = extsort_add(witness->seals, &entry);
		} else
			kept = witness_receipt(witness, &entry);
	}
	json_object_put(line);
	return (kept);
}

bool
receipt_log_read(struct receipt_log *witness, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[8192];
	bool whole = true;

	if (file == NULL)
		return (false);
	if (witness->seals == NULL)
		witness->seals = extsort_new();
	while (whole && fgets(line, sizeof(line), file) != NULL)
		whole = witness_line(witness, line);
	whole = whole && ferror(file) == 0;
	fclose(file);
	return (whole);
}

void
receipt_log_free(struct receipt_log *witness)
{
	extsort_free(witness->seals);
	extsort_free(witness->receipts);
	extsort_free(witness->rows);
	coverage_free(&witness->coverage);
}

bool
receipt_log_begin(struct receipt_log *witness)
{
	coverage_begin(&witness->coverage);
	if (witness->receipts != NULL) {
		witness->rows = extsort_new();
		if (!extsort_begin(witness->receipts))
			return (false);
	}
	return (witness->seals == NULL || extsort_begin(witness->seals));
}

static void
witness_count(uint64_t *count, int64_t *first, int64_t *last, int64_t no)
{
	if (*count == 0)
		*first = no;
	if (*count == 0 || no != *last)
		++*count;
	*last = no;
}

void
receipt_log_seal_ended(struct receipt_log *witness, int64_t no)
{
	witness_count(&witness->seals_ended, &witness->seals_ended_first,
	    &witness->seals_ended_last, no);
}

/* An anchor of no seal that there is, where a later seal is of that epoch. */
static void
witness_seal_lost(struct receipt_log *witness,
    const struct extsort_entry *entry, int64_t epoch)
{
	if (witness_seal_epoch(entry) != 0 && witness_seal_epoch(entry) < epoch)
		receipt_log_seal_ended(witness, witness_seal_no(entry));
	else
		witness_count(&witness->seals_lost, &witness->seals_lost_first,
		    &witness->seals_lost_last, witness_seal_no(entry));
}

/* Takes the anchors of seals below a number. */
static void
witness_pass_over(struct receipt_log *witness, int64_t no, int64_t epoch)
{
	const struct extsort_entry *next;

	while ((next = extsort_next(witness->seals)) != NULL &&
	    witness_seal_no(next) < no) {
		witness_seal_lost(witness, next, epoch);
		extsort_take(witness->seals);
	}
}

bool
receipt_log_seal_agrees(struct receipt_log *witness, int64_t no, int64_t epoch,
    const unsigned char *hash)
{
	const struct extsort_entry *next;
	bool agrees = true, found = false;

	witness_pass_over(witness, no, epoch);
	while ((next = extsort_next(witness->seals)) != NULL &&
	    witness_seal_no(next) == no) {
		if (witness_seal_epoch(next) != 0 &&
		    witness_seal_epoch(next) != epoch) {
			witness_seal_lost(witness, next, epoch);
		} else {
			found = true;
			if (memcmp(next->hash, hash, sizeof(next->hash)) != 0)
				agrees = false;
		}
		extsort_take(witness->seals);
	}
	if (found) {
		witness->seals_found++;
		witness->seals_found_last = no;
	}
	return (agrees);
}

void
receipt_log_seals_end(struct receipt_log *witness, int64_t epoch)
{
	witness_pass_over(witness, INT64_MAX, epoch);
}

void
receipt_log_row(struct receipt_log *witness, int64_t id, uint32_t mark,
    uint32_t at, const unsigned char *hash)
{
	struct extsort_entry entry = { .number = id, .mark = mark, .at = at };

	if (witness->rows == NULL || witness->failed ||
	    id < witness->receipts_first || id > witness->receipts_last)
		return;
	memcpy(entry.hash, hash, sizeof(entry.hash));
	witness->failed = !extsort_add(witness->rows, &entry);
}

bool
receipt_log_rows_end(struct receipt_log *witness)
{
	return (!witness->failed &&
	    (witness->rows == NULL || extsort_begin(witness->rows)));
}

static void
witness_cover(
    struct receipt_log *witness, const struct extsort_entry *row, bool covered)
{
	coverage_row(
	    &witness->coverage, row->mark, row->number, row->at, covered);
}

/* Takes all of a number; false when one of them has another hash. */
static bool
witness_take(struct extsort *spool, const struct extsort_entry *like)
{
	const struct extsort_entry *next;
	bool agrees = true;

	while ((next = extsort_next(spool)) != NULL &&
	    next->number == like->number) {
		if (memcmp(next->hash, like->hash, sizeof(next->hash)) != 0)
			agrees = false;
		extsort_take(spool);
	}
	return (agrees);
}

bool
receipt_log_next_fault(
    struct receipt_log *witness, struct receipt_log_fault *fault)
{
	const struct extsort_entry *next;
	struct extsort_entry receipt;
	bool agrees;

	while (witness->receipts != NULL &&
	    (next = extsort_next(witness->receipts)) != NULL) {
		receipt = *next;
		while ((next = extsort_next(witness->rows)) != NULL &&
		    next->number < receipt.number) {
			witness_cover(witness, next, false);
			extsort_take(witness->rows);
		}
		fault->row = receipt.number;
		fault->lost = next == NULL || next->number > receipt.number;
		if (!fault->lost)
			witness_cover(witness, next, true);
		witness->receipts_rows++;
		witness->receipts_found += !fault->lost;
		agrees = witness_take(witness->rows, &receipt);
		agrees = witness_take(witness->receipts, &receipt) && agrees;
		if (fault->lost || !agrees)
			return (true);
	}
	return (false);
}

bool
receipt_log_is_whole(const struct receipt_log *witness)
{
	return (!witness->failed &&
	    (witness->seals == NULL || !extsort_failed(witness->seals)) &&
	    (witness->receipts == NULL || !extsort_failed(witness->receipts)) &&
	    (witness->rows == NULL || !extsort_failed(witness->rows)));
}
