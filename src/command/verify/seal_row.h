/*
 * A row of audit.seal, as COPY writes it.
 */
#ifndef COFFER_SEAL_ROW_H
#define COFFER_SEAL_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"
#include "command/verify/pgcopy.h"

/* The columns. */
enum {
	SEAL_ROW_NO,
	SEAL_ROW_EPOCH,
	SEAL_ROW_MONTH,
	SEAL_ROW_XID_FROM,
	SEAL_ROW_XID_TO,
	SEAL_ROW_N,
	SEAL_ROW_ROOT,
	SEAL_ROW_PREV,
	SEAL_ROW_SEALED_AT,
	SEAL_ROW_HASH,
	SEAL_ROW_SIGNER,
	SEAL_ROW_SIGNATURE,
	SEAL_ROW_INSTANCE,
	SEAL_ROW_TAKEN_AT,
	SEAL_ROW_ANCHORED_AT,
	SEAL_ROW_FIELDS,
};

struct seal_row {
	int64_t no, epoch, month, xid_from, xid_to, n;
	unsigned char root[CRYPTO_SHA256_SIZE], hash[CRYPTO_SHA256_SIZE];
	bool given; /* false: there is none */
};

/* Whether the columns up to the hash have their sizes. */
bool seal_row_is_sound(const struct pgcopy_field *seal);

/* The hash over the columns of a sound seal before its own. */
void seal_row_hash(
    const struct pgcopy_field *seal, unsigned char hash[CRYPTO_SHA256_SIZE]);

/* Copies the columns of a sound seal. */
void seal_row_read(const struct pgcopy_field *fields, struct seal_row *seal);

#endif
