/*
 * The newest that a daemon has seen of its database, in memory: the epoch, the
 * last seal, and receipts that no seal is known to cover.  A handshake compares
 * the database with it, because one that was restored, or a standby that
 * lagged and took over, does not know what it lacks.
 */
#ifndef COFFER_NEWEST_H
#define COFFER_NEWEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"

#define NEWEST_MARKS 16 /* seconds back to which a receipt is placed */
#define NEWEST_TEXT_SIZE 512

/* Times are of clock_microseconds(), transactions are numbers of PostgreSQL. */
struct newest_receipts {
	uint64_t count; /* 0: none, and nothing of the rest counts */
	int64_t first, last; /* the lowest id and the highest */
	int64_t id; /* of the one that came last */
	unsigned char hash[CRYPTO_SHA256_SIZE];
	int64_t xid_from; /* its transaction is this one or a later one */
	int64_t xid_to; /* and earlier than this one, like all; 0: not known */
	int64_t at; /* it came */
};

struct newest {
	int64_t epoch; /* 0: nothing has been seen */
	int64_t seal;
	unsigned char seal_hash[CRYPTO_SHA256_SIZE];
	int64_t sealed_to; /* all transactions below are sealed */
	/* Since the last state was asked for, and those before. */
	struct newest_receipts fresh, aged;
	/* No transaction that began after a time is below its number. */
	struct newest_mark {
		int64_t at, xid;
	} marks[NEWEST_MARKS];
	size_t mark; /* the next */
};

/* What the database says of itself. */
struct newest_state {
	int64_t asked, answered; /* times */
	int64_t epoch, seal;
	unsigned char seal_hash[CRYPTO_SHA256_SIZE];
	int64_t sealed_to;
	int64_t xid_end; /* above all transactions that have ended */
};

/*
 * A receipt, of a request that arrived at that time: a change that is sent again
 * may give the one of before.
 */
void newest_receipt(struct newest *newest, int64_t id,
    const unsigned char *hash, int64_t arrived);

void newest_state(struct newest *newest, const struct newest_state *state);

/* The database is in this epoch: what was seen of earlier ones is forgotten. */
void newest_begin(struct newest *newest, int64_t epoch);

/* For daemon.hello, as JSON; false: nothing has been seen. */
bool newest_text(const struct newest *newest, char text[NEWEST_TEXT_SIZE])
    __attribute__((warn_unused_result));

#endif
