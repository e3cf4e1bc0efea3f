#include <json-c/json.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/verify/receipt_log.h"

static bool
receipt_log_hash(
    struct json_object *line, const char *name, unsigned char *hash)
{
	struct json_object *value;
	const char *text;
	size_t size;

	if (!json_object_object_get_ex(line, name, &value))
		return (false);
	text = json_object_get_string(value);
	return (text != NULL &&
	    OPENSSL_hexstr2buf_ex(
		hash, CRYPTO_SHA256_SIZE, &size, text, '\0') == 1 &&
	    size == CRYPTO_SHA256_SIZE);
}

static bool
receipt_log_keep(struct receipt_log *log, const struct extsort_entry *entry)
{
	if (log->receipts == NULL) {
		log->receipts = extsort_new();
		log->receipts_first = entry->number;
		log->receipts_last = entry->number;
	}
	if (entry->number < log->receipts_first)
		log->receipts_first = entry->number;
	if (entry->number > log->receipts_last)
		log->receipts_last = entry->number;
	return (extsort_add(log->receipts, entry));
}

/*
 * Seals are kept in the order of their numbers, and of one number in that of
 * epochs; 0: the line names none.
 */
#define RECEIPT_LOG_EPOCHS 65536

static int64_t
receipt_log_seal_key(struct json_object *line, int64_t no)
{
	struct json_object *value;
	int64_t epoch = 0;

	if (json_object_object_get_ex(line, "epoch", &value))
		epoch = json_object_get_int64(value);
	if (epoch < 0 || epoch >= RECEIPT_LOG_EPOCHS)
		epoch = 0;
	if (no < 0 || no > INT64_MAX / RECEIPT_LOG_EPOCHS - 1)
		no = INT64_MAX / RECEIPT_LOG_EPOCHS - 1;
	return (no * RECEIPT_LOG_EPOCHS + epoch);
}

static int64_t
receipt_log_seal_no(const struct extsort_entry *entry)
{
	return (entry->number / RECEIPT_LOG_EPOCHS);
}

static int64_t
receipt_log_seal_epoch(const struct extsort_entry *entry)
{
	return (entry->number % RECEIPT_LOG_EPOCHS);
}

/*
 * A line of the log may have something before it, as syslog's lines do.  False
 * when it cannot be kept.
 */
static bool
receipt_log_line(struct receipt_log *log, const char *text)
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
	coverage_hear(&log->coverage, line);
	if (json_object_object_get_ex(
		line, is_seal ? "no" : "receipt", &number) &&
	    receipt_log_hash(
		line, is_seal ? "hash" : "receipt_hash", entry.hash)) {
		entry.number = json_object_get_int64(number);
		log->entries++;
		if (is_seal) {
			entry.number = receipt_log_seal_key(line, entry.number);
			kept = extsort_add(log->seals, &entry);
		} else
			kept = receipt_log_keep(log, &entry);
	}
	json_object_put(line);
	return (kept);
}

bool
receipt_log_read(struct receipt_log *log, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[8192];
	bool whole = true;

	if (file == NULL)
		return (false);
	if (log->seals == NULL)
		log->seals = extsort_new();
	while (whole && fgets(line, sizeof(line), file) != NULL)
		whole = receipt_log_line(log, line);
	whole = whole && ferror(file) == 0;
	fclose(file);
	return (whole);
}

void
receipt_log_free(struct receipt_log *log)
{
	extsort_free(log->seals);
	extsort_free(log->receipts);
	extsort_free(log->rows);
	coverage_free(&log->coverage);
}

bool
receipt_log_begin(struct receipt_log *log)
{
	coverage_begin(&log->coverage);
	if (log->receipts != NULL) {
		log->rows = extsort_new();
		if (!extsort_begin(log->receipts))
			return (false);
	}
	return (log->seals == NULL || extsort_begin(log->seals));
}

static void
receipt_log_count(uint64_t *count, int64_t *first, int64_t *last, int64_t no)
{
	if (*count == 0)
		*first = no;
	if (*count == 0 || no != *last)
		++*count;
	*last = no;
}

void
receipt_log_seal_ended(struct receipt_log *log, int64_t no)
{
	receipt_log_count(&log->seals_ended, &log->seals_ended_first,
	    &log->seals_ended_last, no);
}

/* An anchor of no seal that there is, where a later seal is of that epoch. */
static void
receipt_log_seal_lost(
    struct receipt_log *log, const struct extsort_entry *entry, int64_t epoch)
{
	if (receipt_log_seal_epoch(entry) != 0 &&
	    receipt_log_seal_epoch(entry) < epoch)
		receipt_log_seal_ended(log, receipt_log_seal_no(entry));
	else
		receipt_log_count(&log->seals_lost, &log->seals_lost_first,
		    &log->seals_lost_last, receipt_log_seal_no(entry));
}

/* Takes the anchors of seals below a number. */
static void
receipt_log_pass_over(struct receipt_log *log, int64_t no, int64_t epoch)
{
	const struct extsort_entry *next;

	while ((next = extsort_next(log->seals)) != NULL &&
	    receipt_log_seal_no(next) < no) {
		receipt_log_seal_lost(log, next, epoch);
		extsort_take(log->seals);
	}
}

bool
receipt_log_seal_agrees(struct receipt_log *log, int64_t no, int64_t epoch,
    const unsigned char *hash)
{
	const struct extsort_entry *next;
	bool agrees = true, found = false;

	receipt_log_pass_over(log, no, epoch);
	while ((next = extsort_next(log->seals)) != NULL &&
	    receipt_log_seal_no(next) == no) {
		if (receipt_log_seal_epoch(next) != 0 &&
		    receipt_log_seal_epoch(next) != epoch) {
			receipt_log_seal_lost(log, next, epoch);
		} else {
			found = true;
			if (memcmp(next->hash, hash, sizeof(next->hash)) != 0)
				agrees = false;
		}
		extsort_take(log->seals);
	}
	if (found) {
		log->seals_found++;
		log->seals_found_last = no;
	}
	return (agrees);
}

void
receipt_log_seals_end(struct receipt_log *log, int64_t epoch)
{
	receipt_log_pass_over(log, INT64_MAX, epoch);
}

void
receipt_log_row(struct receipt_log *log, int64_t id, uint32_t mark, uint32_t at,
    const unsigned char *hash)
{
	struct extsort_entry entry = { .number = id, .mark = mark, .at = at };

	if (log->rows == NULL || log->failed || id < log->receipts_first ||
	    id > log->receipts_last)
		return;
	memcpy(entry.hash, hash, sizeof(entry.hash));
	log->failed = !extsort_add(log->rows, &entry);
}

bool
receipt_log_rows_end(struct receipt_log *log)
{
	return (
	    !log->failed && (log->rows == NULL || extsort_begin(log->rows)));
}

static void
receipt_log_cover(
    struct receipt_log *log, const struct extsort_entry *row, bool covered)
{
	coverage_row(&log->coverage, row->mark, row->number, row->at, covered);
}

/* Takes all of a number; false when one of them has another hash. */
static bool
receipt_log_take(struct extsort *sort, const struct extsort_entry *like)
{
	const struct extsort_entry *next;
	bool agrees = true;

	while ((next = extsort_next(sort)) != NULL &&
	    next->number == like->number) {
		if (memcmp(next->hash, like->hash, sizeof(next->hash)) != 0)
			agrees = false;
		extsort_take(sort);
	}
	return (agrees);
}

bool
receipt_log_next_fault(struct receipt_log *log, struct receipt_log_fault *fault)
{
	const struct extsort_entry *next;
	struct extsort_entry receipt;
	bool agrees;

	while (log->receipts != NULL &&
	    (next = extsort_next(log->receipts)) != NULL) {
		receipt = *next;
		while ((next = extsort_next(log->rows)) != NULL &&
		    next->number < receipt.number) {
			receipt_log_cover(log, next, false);
			extsort_take(log->rows);
		}
		fault->row = receipt.number;
		fault->lost = next == NULL || next->number > receipt.number;
		if (!fault->lost)
			receipt_log_cover(log, next, true);
		log->receipts_rows++;
		log->receipts_found += !fault->lost;
		agrees = receipt_log_take(log->rows, &receipt);
		agrees = receipt_log_take(log->receipts, &receipt) && agrees;
		if (fault->lost || !agrees)
			return (true);
	}
	return (false);
}

bool
receipt_log_is_whole(const struct receipt_log *log)
{
	return (!log->failed &&
	    (log->seals == NULL || !extsort_failed(log->seals)) &&
	    (log->receipts == NULL || !extsort_failed(log->receipts)) &&
	    (log->rows == NULL || !extsort_failed(log->rows)));
}
