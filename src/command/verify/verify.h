/*
 * The state of one verification of the audit, from outside: nothing of the
 * database is trusted, all hashes are computed anew from the columns.  Memory
 * does not grow with it.  chain.c, rows.c and evidence.c do it, in this order.
 */
#ifndef COFFER_VERIFY_H
#define COFFER_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "command/verify/closing.h"
#include "command/verify/epochs.h"
#include "command/verify/months.h"
#include "command/verify/pgcopy.h"
#include "command/verify/receipt_log.h"

struct verify_key {
	unsigned char bytes[CRYPTO_KEY_SIZE];
	char signer[CRYPTO_PUBLIC_ID_SIZE];
};

#define VERIFY_DIFFERS_MAX 16 /* months that a range of transactions is in */

/* Seals with another hash than their anchors, of one range of transactions. */
struct verify_differs {
	int64_t epoch, xid_from;
	int64_t no[VERIFY_DIFFERS_MAX];
	size_t count;
};

struct verify {
	/* The keys that are trusted; without any, no signature is verified. */
	struct verify_key *keys;
	size_t keys_count, keys_room;
	struct receipt_log *log; /* NULL: there are no anchors */
	bool standby; /* more may come, of rows after this id */
	int64_t standby_row;
	bool complete; /* of all daemons, from start to end */
	bool partial; /* it is of exported months, and of these all is there */
	struct closing closing;

	/* The outcome. */
	uint64_t damages;
	uint64_t seals;
	uint64_t unanchored; /* noted as anchored, and there is no anchor */
	uint64_t rows;
	uint64_t unsealed; /* rows that no seal covers yet */
	uint64_t unsigned_seals; /* at the end of the chain */
	int64_t unsigned_first;

	struct months months;
	struct epochs epochs;
	struct verify_differs differs;
	int64_t last_seal; /* the number of the last */
	/* A standby lacks what comes after: that is no damage. */
	uint64_t behind_seals, behind_receipts;
	int64_t behind_seal, behind_row; /* the first of each */

	/* Of an export: its month, by the first day; whether it has rows of it. */
	int64_t month;
	bool month_known, other_month;

	/* The last epoch, and up to which transaction it is sealed. */
	int64_t epoch, sealed;
};

/* Adds a public key to those that are trusted. */
void verify_trust(struct verify *verify, const unsigned char *key);

/*
 * Reports and counts a damage, as a line on standard output: kind, place,
 * words.
 */
void verify_damage(struct verify *verify, const char *kind, const char *place,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* "seal 7"; good until the next call. */
const char *verify_place(const char *what, int64_t number);

/* Reports a file or an answer that could not be read to its end. */
void verify_read_failed(struct verify *verify, const struct pgcopy *copy);

void verify_free(struct verify *verify);

#endif
