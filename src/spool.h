/*
 * Any number of numbers with their hashes, to be read in the order of numbers.
 * Memory hardly grows with them: most are in a file without a name, in $TMPDIR
 * or /tmp, which has 48 bytes of each.
 */
#ifndef COFFER_SPOOL_H
#define COFFER_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto.h"

#define SPOOL_ROOM 65536 /* entries that are kept in memory */

struct spool_entry {
	int64_t number;
	/* What the caller wants to know of it. */
	uint32_t mark, at;
	unsigned char hash[CRYPTO_SHA256_SIZE];
};

struct spool;

struct spool *spool_new(void);
void spool_free(struct spool *spool);

/* Before spool_begin.  False: there is no room for the file. */
bool spool_add(struct spool *spool, const struct spool_entry *entry)
    __attribute__((warn_unused_result));

/* Once, before what follows.  False: the file cannot be read. */
bool spool_begin(struct spool *spool) __attribute__((warn_unused_result));

/* The lowest that was not taken; NULL when there is none. */
const struct spool_entry *spool_next(const struct spool *spool);

/* Takes that, of which there is one. */
void spool_take(struct spool *spool);

/* Whether the file could not be read to its end. */
bool spool_failed(const struct spool *spool);

#endif
