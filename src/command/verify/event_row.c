#include <endian.h>
#include <string.h>

#include "command/verify/event_row.h"
#include "db/columns.h"

#define EVENT_ROW_LABEL "coffer-au1"
#define EVENT_ROW_DAY (86400 * (int64_t)EVENT_ROW_SECOND)

/* The types of the columns. */
static const enum column_type event_row_types[EVENT_ROW_HASH] = { COLUMN_INT8,
	COLUMN_INT8, COLUMN_INT4, COLUMN_TIMESTAMPTZ, COLUMN_UUID, COLUMN_UUID,
	COLUMN_TEXT, COLUMN_UUID, COLUMN_UUID, COLUMN_UUID, COLUMN_INET,
	COLUMN_TEXT, COLUMN_TEXT, COLUMN_TEXT, COLUMN_UUID, COLUMN_UUID,
	COLUMN_INT4, COLUMN_INT2, COLUMN_TEXT, COLUMN_JSONB };

int64_t
event_row_month(int64_t at)
{
	int64_t days = at / EVENT_ROW_DAY - (at % EVENT_ROW_DAY < 0);
	/* By eras of 400 years that begin on the first of March. */
	int64_t z = days + 730425;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	return (days - (doy - (153 * mp + 2) / 5));
}

static void
event_row_add_number(EVP_MD_CTX *context, uint32_t number)
{
	number = htobe32(number);
	EVP_DigestUpdate(context, &number, sizeof(number));
}

/* As record_send writes a row of these types. */
void
event_row_hash(EVP_MD_CTX *context, const struct pgcopy_field *event,
    unsigned char hash[CRYPTO_SHA256_SIZE])
{
	int i;

	EVP_DigestInit_ex(context, EVP_sha256(), NULL);
	EVP_DigestUpdate(context, EVENT_ROW_LABEL, sizeof(EVENT_ROW_LABEL) - 1);
	event_row_add_number(context, EVENT_ROW_HASH);
	for (i = 0; i < EVENT_ROW_HASH; i++) {
		event_row_add_number(context, event_row_types[i]);
		if (event[i].bytes == NULL) {
			event_row_add_number(context, UINT32_MAX);
			continue;
		}
		event_row_add_number(context, event[i].size);
		EVP_DigestUpdate(context, event[i].bytes, event[i].size);
	}
	EVP_DigestFinal_ex(context, hash, NULL);
}

bool
event_row_did(const struct pgcopy_field *event, const char *method)
{
	const struct pgcopy_field *called = &event[EVENT_ROW_METHOD];

	return (called->bytes != NULL && event[EVENT_ROW_ERROR].bytes == NULL &&
	    called->size == strlen(method) &&
	    memcmp(called->bytes, method, called->size) == 0);
}
