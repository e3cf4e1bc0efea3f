/*
 * What a daemon's log, or whatever anchor_command has kept, says of the
 * audit: the hashes of seals, and of the last rows whose receipts went out.
 * Memory does not grow with the files, nor with their number.
 */
#ifndef COFFER_WITNESS_H
#define COFFER_WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto.h"
#include "spool.h"

/* Receipts before these are of rows that seals have covered since. */
#define WITNESS_RECEIPTS 65536 /* of one file */
#define WITNESS_RECEIPTS_MAX 262144 /* of all, those of the highest rows */

struct witness_entry {
	int64_t number;
	unsigned char hash[CRYPTO_SHA256_SIZE];
	bool seen;
};

struct witness {
	/* Sorted by row; one may be there more than once. */
	struct witness_entry *receipts;
	size_t receipts_count, receipts_room;

	struct spool *seals;
	/* Seals with anchors of which witness_seal_agrees has not heard. */
	uint64_t seals_lost;
	int64_t seals_lost_first, seals_lost_last;
};

/* Reads one more file; false when it cannot be read, or kept. */
bool witness_read(struct witness *witness, const char *path)
    __attribute__((warn_unused_result));
void witness_free(struct witness *witness);

/* After the last file; false when what was kept cannot be read again. */
bool witness_begin(struct witness *witness) __attribute__((warn_unused_result));

/*
 * Whether the anchors of a seal have this hash; true when there are none.  In
 * the order of seals: those that are passed over are lost.
 */
bool witness_seal_agrees(
    struct witness *witness, int64_t no, const unsigned char *hash);

/* There are no more seals; false when not all anchors could be read. */
bool
witness_seals_end(struct witness *witness) __attribute__((warn_unused_result));

/*
 * Whether the receipts of a row, which are marked as seen, have this hash;
 * true when there are none.
 */
bool witness_row_agrees(
    struct witness *witness, int64_t id, const unsigned char *hash);

#endif
