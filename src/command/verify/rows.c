#include <inttypes.h>
#include <openssl/evp.h>
#include <string.h>

#include "command/verify/event_row.h"
#include "command/verify/rows.h"
#include "command/verify/seal_row.h"

#define ROWS_DROP "operator.audit_drop_month"
#define ROWS_EPOCH "operator.audit_epoch_begin"
#define ROWS_MONTHS_MAX 64 /* in one range of transactions */

/*
 * The seals whose rows are looked at: those of one range of transactions, one
 * for each month that it has rows of.  Rows come in the order of transactions.
 */
struct rows_range {
	struct pgcopy *seals;
	struct seal_row next; /* the first beyond this range */
	size_t count;
	struct {
		struct seal_row seal;
		int64_t found;
		EVP_MD_CTX *hashes;
	} months[ROWS_MONTHS_MAX];
};

static bool
rows_is_hash(const struct pgcopy_field *field)
{
	return (field->bytes != NULL && field->size == CRYPTO_SHA256_SIZE);
}

/* The next seal that has rows. */
static void
rows_take_seal(struct seal_row *seal, struct pgcopy *seals)
{
	struct pgcopy_field fields[SEAL_ROW_FIELDS];

	seal->given = false;
	while (!seal->given && pgcopy_next(seals, fields, SEAL_ROW_FIELDS)) {
		if (seal_row_is_sound(fields) &&
		    pgcopy_number(&fields[SEAL_ROW_N]) != 0)
			seal_row_read(fields, seal);
	}
}

static bool
rows_is_same_range(const struct seal_row *one, const struct seal_row *other)
{
	return (one->epoch == other->epoch &&
	    one->xid_from == other->xid_from && one->xid_to == other->xid_to);
}

static void
rows_take_range(struct rows_range *range)
{
	range->count = 0;
	while (range->next.given && range->count < ROWS_MONTHS_MAX &&
	    (range->count == 0 ||
		rows_is_same_range(&range->months[0].seal, &range->next))) {
		range->months[range->count].seal = range->next;
		range->months[range->count].found = 0;
		EVP_DigestInit_ex(
		    range->months[range->count].hashes, EVP_sha256(), NULL);
		range->count++;
		rows_take_seal(&range->next, range->seals);
	}
}

/* What the rows of a seal say counts as long as the seal holds. */
static void
rows_forget(struct verify *verify, int64_t no)
{
	months_forget(&verify->months, no);
	epochs_forget(&verify->epochs, no);
}

static void
rows_finish_seal(struct verify *verify, const struct seal_row *seal,
    int64_t found, EVP_MD_CTX *hashes)
{
	struct month *month = months_get(&verify->months, seal->month);
	const char *place = verify_place("seal", seal->no);
	unsigned char root[CRYPTO_SHA256_SIZE];

	EVP_DigestFinal_ex(hashes, root, NULL);
	if (found == 0) {
		if (month->seals++ == 0)
			month->first_seal = seal->no;
		month->last_seal = seal->no;
		month->rows += seal->n;
		return;
	}
	month->has_rows = true;
	if (found != seal->n || memcmp(root, seal->root, sizeof(root)) != 0)
		rows_forget(verify, seal->no);
	if (found < seal->n)
		verify_damage(verify, "rows_missing", place,
		    "%" PRId64 " of its %" PRId64 " rows are missing",
		    seal->n - found, seal->n);
	else if (found > seal->n)
		verify_damage(verify, "rows_added", place,
		    "%" PRId64 " rows were put in beside its %" PRId64,
		    found - seal->n, seal->n);
	else if (memcmp(root, seal->root, sizeof(root)) != 0)
		verify_damage(verify, "rows_exchanged", place,
		    "of its %" PRId64 " rows at least one is another than was "
		    "sealed",
		    seal->n);
}

static void
rows_finish_range(struct verify *verify, struct rows_range *range)
{
	size_t i;

	for (i = 0; i < range->count; i++)
		rows_finish_seal(verify, &range->months[i].seal,
		    range->months[i].found, range->months[i].hashes);
}

/* Whether the seals are over before a row of this place. */
static bool
rows_is_past(const struct rows_range *range, int64_t epoch, int64_t xid)
{
	const struct seal_row *seal = &range->months[0].seal;

	if (seal->epoch != epoch)
		return (seal->epoch < epoch);
	return (seal->xid_to <= xid);
}

/* The seal of the row, which is counted to it; NULL: there is none. */
static const struct seal_row *
rows_seal_of(struct rows_range *range, int64_t epoch, int64_t xid,
    int64_t month, const struct pgcopy_field *hash)
{
	size_t i;

	for (i = 0; i < range->count; i++) {
		const struct seal_row *seal = &range->months[i].seal;

		if (seal->epoch != epoch || seal->month != month ||
		    seal->xid_from > xid)
			continue;
		range->months[i].found++;
		EVP_DigestUpdate(
		    range->months[i].hashes, hash->bytes, hash->size);
		return (seal);
	}
	return (NULL);
}

static void
rows_verify_row(struct verify *verify, struct rows_range *range,
    const struct pgcopy_field *event, const unsigned char *hash)
{
	int64_t id = pgcopy_number(&event[EVENT_ROW_ID]);
	int64_t epoch = pgcopy_number(&event[EVENT_ROW_EPOCH]);
	int64_t xid = pgcopy_number(&event[EVENT_ROW_XID]);
	int64_t month = event_row_month(pgcopy_number(&event[EVENT_ROW_AT]));
	const struct seal_row *seal;
	bool changed = !rows_is_hash(&event[EVENT_ROW_HASH]) ||
	    memcmp(hash, event[EVENT_ROW_HASH].bytes, CRYPTO_SHA256_SIZE) != 0;

	verify->rows++;
	if (changed)
		verify_damage(verify, "row_changed", verify_place("row", id),
		    "its hash is not that of its other columns");
	if (verify->log != NULL)
		receipt_log_row(verify->log, id,
		    coverage_mark(&verify->log->coverage,
			&event[EVENT_ROW_INSTANCE],
			&event[EVENT_ROW_REQUEST_ID], &event[EVENT_ROW_METHOD]),
		    (uint32_t)(pgcopy_number(&event[EVENT_ROW_AT]) /
			EVENT_ROW_SECOND),
		    hash);
	while (range->count > 0 && rows_is_past(range, epoch, xid)) {
		rows_finish_range(verify, range);
		rows_take_range(range);
	}
	seal = rows_seal_of(range, epoch, xid, month, &event[EVENT_ROW_HASH]);
	if (seal != NULL) {
		if (!changed && event_row_did(event, ROWS_DROP))
			months_hear(&verify->months, seal->no, month,
			    &event[EVENT_ROW_REQUEST]);
		else if (!changed && event_row_did(event, ROWS_EPOCH))
			epochs_hear(&verify->epochs, seal->no,
			    &event[EVENT_ROW_REQUEST]);
		return;
	}
	months_get(&verify->months, month)->has_rows = true;
	/* A month is exported when all of it is sealed. */
	if (!verify->partial && verify->seals > 0 && epoch == verify->epoch &&
	    xid >= verify->sealed) {
		verify->unsealed++;
	} else {
		verify_damage(verify, "row_unsealed", verify_place("row", id),
		    "no seal covers it, though its transaction is sealed: it "
		    "was put in afterwards");
	}
}

/* Seals of which no row was found; rows that say why come last. */
static void
rows_absent(struct verify *verify)
{
	char place[sizeof("month ") + MONTHS_NAME_SIZE] = "month ";
	struct month *month;
	size_t i;

	for (i = 0; i < verify->months.count; i++) {
		month = &verify->months.months[i];
		if (month->seals == 0 ||
		    (!month->has_rows &&
			months_was_dropped(&verify->months, month)))
			continue;
		if (month->has_rows) {
			verify_damage(verify, "rows_missing",
			    verify_place("seal", month->first_seal),
			    "it and %" PRIu64 " more of its month, up to seal "
			    "%" PRId64 ", have none of their %" PRId64 " rows",
			    month->seals - 1, month->last_seal, month->rows);
			continue;
		}
		months_name(month->first_day, place + sizeof("month ") - 1);
		verify_damage(verify, "month_missing", place,
		    "none of the %" PRId64 " rows of seals %" PRId64
		    " to %" PRId64 " is there, and no sealed row of " ROWS_DROP
		    " says that they were dropped",
		    month->rows, month->first_seal, month->last_seal);
	}
}

/* Of an export, the first row tells that its seals are in another file. */
static bool
rows_are_of_other_month(struct verify *verify, const struct pgcopy_field *event)
{
	verify->other_month = verify->partial && verify->rows == 0 &&
	    verify->month_known &&
	    event_row_month(pgcopy_number(&event[EVENT_ROW_AT])) !=
		verify->month;
	return (verify->other_month);
}

void
rows_verify(struct verify *verify, struct pgcopy *seals, struct pgcopy *events)
{
	struct pgcopy_field event[EVENT_ROW_FIELDS];
	struct rows_range range = { .seals = seals };
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char hash[CRYPTO_SHA256_SIZE];
	size_t i;

	for (i = 0; i < ROWS_MONTHS_MAX; i++)
		range.months[i].hashes = EVP_MD_CTX_new();
	rows_take_seal(&range.next, seals);
	rows_take_range(&range);
	while (pgcopy_next(events, event, EVENT_ROW_FIELDS)) {
		if (rows_are_of_other_month(verify, event))
			break;
		event_row_hash(context, event, hash);
		rows_verify_row(verify, &range, event, hash);
	}
	verify_read_failed(verify, events);
	while (range.count > 0) {
		rows_finish_range(verify, &range);
		rows_take_range(&range);
	}
	rows_absent(verify);
	EVP_MD_CTX_free(context);
	for (i = 0; i < ROWS_MONTHS_MAX; i++)
		EVP_MD_CTX_free(range.months[i].hashes);
}
