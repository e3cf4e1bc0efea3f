/*
 * What a daemon's log, or whatever anchor_command has kept, says of the
 * audit: the hashes of seals, and of the last rows whose receipts went out.
 */
#ifndef COFFER_WITNESS_H
#define COFFER_WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto.h"

/* Receipts before these are of rows that seals have covered since. */
#define WITNESS_RECEIPTS 65536

struct witness_entry {
	int64_t number; /* of a seal, or of a row */
	unsigned char hash[CRYPTO_SHA256_SIZE];
	bool seen;
};

/* Sorted by number; the same entry may be there more than once. */
struct witness_list {
	struct witness_entry *entries;
	size_t count, room;
};

struct witness {
	struct witness_list seals;
	struct witness_list receipts;
};

/* Reads one more file; false when it cannot be read. */
bool witness_read(struct witness *witness, const char *path)
    __attribute__((warn_unused_result));
void witness_free(struct witness *witness);

/* Makes the lists ready to be searched. */
void witness_sort(struct witness *witness);

/*
 * Whether the entries of a number, which are marked as seen, have this hash;
 * true when there are none.
 */
bool witness_agrees(
    const struct witness_list *list, int64_t number, const unsigned char *hash);

#endif
