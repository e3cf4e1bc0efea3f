/*
 * A row of audit.event, as COPY writes it.
 */
#ifndef COFFER_EVENT_ROW_H
#define COFFER_EVENT_ROW_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"
#include "command/verify/pgcopy.h"

#define EVENT_ROW_SECOND 1000000 /* of EVENT_ROW_AT */

/* The columns that are looked at; the hash is over all before it. */
enum {
	EVENT_ROW_ID = 0,
	EVENT_ROW_XID = 1,
	EVENT_ROW_EPOCH = 2,
	EVENT_ROW_AT = 3,
	EVENT_ROW_INSTANCE = 4,
	EVENT_ROW_REQUEST_ID = 5,
	EVENT_ROW_METHOD = 12,
	EVENT_ROW_ERROR = 18,
	EVENT_ROW_REQUEST = 19,
	EVENT_ROW_HASH = 20,
	EVENT_ROW_FIELDS = 21,
};

/* Computes the hash of a row with context, which serves for any number. */
void event_row_hash(EVP_MD_CTX *context, const struct pgcopy_field *event,
    unsigned char hash[CRYPTO_SHA256_SIZE]);

/*
 * The first day of the month of a time in microseconds; as PostgreSQL counts,
 * from 2000-01-01 on.
 */
int64_t event_row_month(int64_t at);

/* Whether the row is of that method and has no error. */
bool event_row_did(const struct pgcopy_field *event, const char *method);

#endif
