/*
 * What a daemon's log, or what anchor_command has kept, says of the audit: the
 * hashes of seals, and of all rows whose receipts went out.  It is in sort
 * files, so that memory hardly grows with the files, nor with their number.
 */
#ifndef COFFER_RECEIPT_LOG_H
#define COFFER_RECEIPT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "command/verify/coverage.h"
#include "command/verify/extsort.h"
#include "command/verify/pgcopy.h"

struct receipt_log {
	uint64_t entries; /* anchors and receipts, in all files */

	struct extsort *seals;
	/* Seals with anchors of which receipt_log_seal_agrees has heard. */
	uint64_t seals_found;
	int64_t seals_found_last;
	/* Seals with anchors of which receipt_log_seal_agrees has not heard. */
	uint64_t seals_lost;
	int64_t seals_lost_first, seals_lost_last;
	/* Of these, seals of an epoch that has ended before their number. */
	uint64_t seals_ended;
	int64_t seals_ended_first, seals_ended_last;

	struct extsort *receipts;
	/* Rows with receipts of which receipt_log_next_fault has heard. */
	uint64_t receipts_rows, receipts_found;
	int64_t receipts_first, receipts_last; /* of the rows, by number */
	struct extsort *rows; /* with receipts, as far as these numbers tell */
	bool failed; /* there was no room for rows */
	struct coverage coverage; /* of rows by receipts */
};

/* A row that is not what was given out as its receipt. */
struct receipt_log_fault {
	int64_t row;
	bool lost; /* there is no such row; else it is another */
};

/* Reads one more file; false when it cannot be read, or kept. */
bool receipt_log_read(struct receipt_log *log, const char *path)
    __attribute__((warn_unused_result));
void receipt_log_free(struct receipt_log *log);

/* After the last file; false when what was kept cannot be read again. */
bool
receipt_log_begin(struct receipt_log *log) __attribute__((warn_unused_result));

/*
 * Whether the anchors of a seal have this hash; true when there are none.  In
 * the order of seals: those that are passed over are lost.  An anchor names its
 * epoch, and is of no seal of a later one; lines of before name none.
 */
bool receipt_log_seal_agrees(struct receipt_log *log, int64_t no, int64_t epoch,
    const unsigned char *hash);

/* The anchors of this seal are of one that was lost when its epoch ended. */
void receipt_log_seal_ended(struct receipt_log *log, int64_t no);

/* There are no more seals; the last was of this epoch. */
void receipt_log_seals_end(struct receipt_log *log, int64_t epoch);

/*
 * Keeps the hash of a row for the comparison with receipts, with its mark of
 * coverage_mark and its time in seconds.
 */
void receipt_log_row(struct receipt_log *log, int64_t id, uint32_t mark,
    uint32_t at, const unsigned char *hash);

/* There are no more rows; false when they cannot be read again. */
bool receipt_log_rows_end(struct receipt_log *log)
    __attribute__((warn_unused_result));

/*
 * After that, the next row, in the order of numbers, that one of its receipts
 * does not fit; false when there are no more.
 */
bool receipt_log_next_fault(struct receipt_log *log,
    struct receipt_log_fault *fault) __attribute__((warn_unused_result));

/* At the end: whether all was compared that is in the files. */
bool receipt_log_is_whole(const struct receipt_log *log);

#endif
