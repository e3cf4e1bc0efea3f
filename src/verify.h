/*
 * Verifies the audit from outside: nothing of the database is trusted, all
 * hashes are computed anew from the columns.  Memory does not grow with it.
 */
#ifndef COFFER_VERIFY_H
#define COFFER_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "closing.h"
#include "copy.h"
#include "crypto.h"
#include "witness.h"

#define VERIFY_KEYS_MAX 16

struct verify {
	/* The keys that are trusted; without any, no signature is verified. */
	unsigned char keys[VERIFY_KEYS_MAX][CRYPTO_KEY_SIZE];
	size_t keys_count;
	struct witness *witness; /* NULL: there are no anchors */
	bool partial; /* it is of exported months, and of these all is there */
	struct closing closing;

	/* The outcome. */
	uint64_t damages;
	uint64_t seals;
	uint64_t rows;
	int64_t first_row; /* the lowest id */
	int64_t dropped; /* rows of months that were dropped */
	uint64_t unsealed; /* rows that no seal covers yet */
	uint64_t unsigned_seals; /* at the end of the chain */
	int64_t unsigned_first;

	/* By epoch: up to which transaction it is sealed. */
	int64_t *sealed;
	int64_t epochs;
};

/* Each damage is a line on standard output: kind, place, words. */

/* The chain, of audit.seal by no. */
void verify_chain(struct verify *verify, struct copy *seals);

/*
 * The rows, of audit.event by epoch, xid and id, against audit.seal by
 * epoch, xid_from, xid_to and month; after the chain.
 */
void
verify_rows(struct verify *verify, struct copy *seals, struct copy *events);

/* What was anchored and not found; after both. */
void verify_anchors(struct verify *verify);

void verify_free(struct verify *verify);

#endif
