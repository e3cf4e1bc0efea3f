/*
 * Any number of numbers with their hashes, to be read in the order of numbers.
 * Memory hardly grows with them: most are in a file without a name, in $TMPDIR
 * or /tmp, which has 48 bytes of each.
 */
#ifndef COFFER_EXTSORT_H
#define COFFER_EXTSORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"

#define EXTSORT_ROOM 65536 /* entries that are kept in memory */

struct extsort_entry {
	int64_t number;
	/* What the caller wants to know of it. */
	uint32_t mark, at;
	unsigned char hash[CRYPTO_SHA256_SIZE];
};

struct extsort;

struct extsort *extsort_new(void);
void extsort_free(struct extsort *sort);

/* Before extsort_begin.  False: there is no room for the file. */
bool extsort_add(struct extsort *sort, const struct extsort_entry *entry)
    __attribute__((warn_unused_result));

/* Once, before what follows.  False: the file cannot be read. */
bool extsort_begin(struct extsort *sort) __attribute__((warn_unused_result));

/* The lowest that was not taken; NULL when there is none. */
const struct extsort_entry *extsort_next(const struct extsort *sort);

/* Takes that, of which there is one. */
void extsort_take(struct extsort *sort);

/* Whether the file could not be read to its end. */
bool extsort_failed(const struct extsort *sort);

#endif
