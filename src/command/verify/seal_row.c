#include <string.h>

#include "command/verify/seal_row.h"

#define SEAL_ROW_LABEL "coffer-se1"

/*
 * Of the columns up to the hash.  The hash is over bytes without their sizes:
 * so these must be as they are.
 */
static const uint32_t seal_row_sizes[SEAL_ROW_HASH + 1] = { 8, 4, 4, 8, 8, 8,
	32, 32, 8, 32 };

bool
seal_row_is_sound(const struct pgcopy_field *seal)
{
	int i;

	for (i = SEAL_ROW_NO; i <= SEAL_ROW_HASH; i++) {
		if (seal[i].bytes == NULL || seal[i].size != seal_row_sizes[i])
			return (false);
	}
	return (true);
}

void
seal_row_hash(
    const struct pgcopy_field *seal, unsigned char hash[CRYPTO_SHA256_SIZE])
{
	unsigned char bytes[256];
	size_t used = sizeof(SEAL_ROW_LABEL) - 1;
	int i;

	memcpy(bytes, SEAL_ROW_LABEL, used);
	for (i = SEAL_ROW_NO; i < SEAL_ROW_HASH; i++) {
		memcpy(bytes + used, seal[i].bytes, seal[i].size);
		used += seal[i].size;
	}
	crypto_sha256(bytes, used, hash);
}

void
seal_row_read(const struct pgcopy_field *fields, struct seal_row *seal)
{
	seal->given = true;
	seal->no = pgcopy_number(&fields[SEAL_ROW_NO]);
	seal->epoch = pgcopy_number(&fields[SEAL_ROW_EPOCH]);
	seal->month = pgcopy_number(&fields[SEAL_ROW_MONTH]);
	seal->xid_from = pgcopy_number(&fields[SEAL_ROW_XID_FROM]);
	seal->xid_to = pgcopy_number(&fields[SEAL_ROW_XID_TO]);
	seal->n = pgcopy_number(&fields[SEAL_ROW_N]);
	memcpy(seal->root, fields[SEAL_ROW_ROOT].bytes, sizeof(seal->root));
	memcpy(seal->hash, fields[SEAL_ROW_HASH].bytes, sizeof(seal->hash));
}
