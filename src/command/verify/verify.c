#include <endian.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "command/verify/verify.h"

#define VERIFY_SEAL_LABEL "coffer-se1"
#define VERIFY_ROW_LABEL "coffer-au1"
#define VERIFY_SECOND 1000000
#define VERIFY_DAY (86400 * (int64_t)VERIFY_SECOND)
#define VERIFY_DROP "operator.audit_drop_month"
#define VERIFY_EPOCH "operator.audit_epoch_begin"
#define VERIFY_MONTHS_MAX 64 /* in one range of transactions */

/* Columns of audit.seal. */
enum {
	SEAL_NO,
	SEAL_EPOCH,
	SEAL_MONTH,
	SEAL_XID_FROM,
	SEAL_XID_TO,
	SEAL_N,
	SEAL_ROOT,
	SEAL_PREV,
	SEAL_SEALED_AT,
	SEAL_HASH,
	SEAL_SIGNER,
	SEAL_SIGNATURE,
	SEAL_INSTANCE,
	SEAL_TAKEN_AT,
	SEAL_ANCHORED_AT,
	SEAL_FIELDS,
};

/* What the columns of a seal before its hash, and that itself, have of bytes. */
static const uint32_t verify_sizes[SEAL_HASH + 1] = { 8, 4, 4, 8, 8, 8, 32, 32,
	8, 32 };

/* Columns of audit.event that are looked at; the hash is over all before it. */
enum {
	EVENT_ID = 0,
	EVENT_XID = 1,
	EVENT_EPOCH = 2,
	EVENT_AT = 3,
	EVENT_INSTANCE = 4,
	EVENT_REQUEST_ID = 5,
	EVENT_METHOD = 12,
	EVENT_ERROR = 18,
	EVENT_REQUEST = 19,
	EVENT_HASH = 20,
	EVENT_FIELDS = 21,
};

/* Their types, of PostgreSQL's pg_type, where they never change. */
static const uint32_t verify_types[EVENT_HASH] = { 20, 20, 23, 1184, 2950, 2950,
	25, 2950, 2950, 2950, 869, 25, 25, 25, 2950, 2950, 23, 21, 25, 3802 };

struct verify_seal {
	int64_t no, epoch, month, xid_from, xid_to, n;
	unsigned char root[CRYPTO_SHA256_SIZE];
	bool given;
};

/*
 * The seals whose rows are looked at: those of one range of transactions, one
 * for each month that it has rows of.  Rows come in the order of transactions.
 */
struct verify_range {
	struct pgcopy *seals;
	struct verify_seal next; /* the first beyond this range */
	size_t count;
	struct {
		struct verify_seal seal;
		int64_t found;
		EVP_MD_CTX *hashes;
	} months[VERIFY_MONTHS_MAX];
};

__attribute__((format(printf, 4, 5))) static void
verify_damage(struct verify *verify, const char *kind, const char *place,
    const char *format, ...)
{
	va_list arguments;

	verify->damages++;
	printf("%s %s: ", kind, place);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

static const char *
verify_place(const char *what, int64_t number)
{
	static char place[40];

	snprintf(place, sizeof(place), "%s %" PRId64, what, number);
	return (place);
}

static void
verify_read_failed(struct verify *verify, const struct pgcopy *copy)
{
	if (pgcopy_failed(copy))
		verify_damage(verify, "unreadable", "input",
		    "it ends early, or is none of this form");
}

static bool
verify_is_hash(const struct pgcopy_field *field)
{
	return (field->bytes != NULL && field->size == CRYPTO_SHA256_SIZE);
}

void
verify_trust(struct verify *verify, const unsigned char *key)
{
	struct verify_key *last;

	verify->keys = memory_grow(verify->keys, verify->keys_count,
	    &verify->keys_room, sizeof(*verify->keys));
	last = &verify->keys[verify->keys_count++];
	memcpy(last->bytes, key, sizeof(last->bytes));
	crypto_public_id(key, last->signer);
}

/* The chain ---------------------------------------------------------------- */

/* Its hash is over bytes without their sizes: so these must be as they are. */
static bool
verify_is_seal(const struct pgcopy_field *seal)
{
	int i;

	for (i = SEAL_NO; i <= SEAL_HASH; i++) {
		if (seal[i].bytes == NULL || seal[i].size != verify_sizes[i])
			return (false);
	}
	return (true);
}

static void
verify_seal_hash(const struct pgcopy_field *seal, unsigned char *hash)
{
	unsigned char bytes[256];
	size_t used = sizeof(VERIFY_SEAL_LABEL) - 1;
	int i;

	memcpy(bytes, VERIFY_SEAL_LABEL, used);
	for (i = SEAL_NO; i < SEAL_HASH; i++) {
		memcpy(bytes + used, seal[i].bytes, seal[i].size);
		used += seal[i].size;
	}
	crypto_sha256(bytes, used, hash);
}

/* The trusted key that has signed a seal; NULL: none has. */
static const struct verify_key *
verify_signature_key(
    const struct verify *verify, const struct pgcopy_field *seal)
{
	const struct pgcopy_field *signature = &seal[SEAL_SIGNATURE];
	size_t i;

	if (signature->size != CRYPTO_SIGNATURE_SIZE)
		return (NULL);
	for (i = 0; i < verify->keys_count; i++) {
		if (crypto_verify(verify->keys[i].bytes, seal[SEAL_HASH].bytes,
			CRYPTO_SHA256_SIZE, signature->bytes))
			return (&verify->keys[i]);
	}
	return (NULL);
}

static void
verify_signature(
    struct verify *verify, const struct pgcopy_field *seal, const char *place)
{
	const struct pgcopy_field *signer = &seal[SEAL_SIGNER];
	const struct verify_key *key;

	if (verify->keys_count == 0 || seal[SEAL_SIGNATURE].bytes == NULL)
		return;
	key = verify_signature_key(verify, seal);
	if (key == NULL)
		verify_damage(verify, "signature_wrong", place,
		    "no key that is trusted has signed it");
	else if (signer->bytes == NULL || signer->size != strlen(key->signer) ||
	    memcmp(signer->bytes, key->signer, signer->size) != 0)
		verify_damage(verify, "signer_wrong", place,
		    "signer %s has signed it, and it names another",
		    key->signer);
}

/* A daemon signs one after the other: only the last may lack a signature. */
static void
verify_is_signed(
    struct verify *verify, const struct pgcopy_field *seal, int64_t no)
{
	if (seal[SEAL_SIGNATURE].bytes == NULL) {
		if (verify->unsigned_seals++ == 0)
			verify->unsigned_first = no;
		return;
	}
	if (verify->unsigned_seals > 0)
		verify_damage(verify, "seal_unsigned",
		    verify_place("seal", verify->unsigned_first),
		    "it and %" PRIu64 " more have no signature, though later "
		    "seals have theirs",
		    verify->unsigned_seals - 1);
	verify->unsigned_seals = 0;
}

/* Those that were noted, of an epoch that goes on, are damage. */
static void
verify_differs(struct verify *verify, bool ended)
{
	struct verify_differs *differs = &verify->differs;
	size_t i;

	for (i = 0; i < differs->count; i++) {
		if (ended)
			receipt_log_seal_ended(verify->witness, differs->no[i]);
		else
			verify_damage(verify, "anchor_differs",
			    verify_place("seal", differs->no[i]),
			    "another hash was anchored: the chain was made "
			    "anew");
	}
	differs->count = 0;
}

/*
 * An epoch ends with a seal over what has none yet, in a database that was
 * restored or lagged; the one that was lost had that number, too.  So before
 * such a seal is called damage, the next has to be seen.
 */
static void
verify_note_differs(
    struct verify *verify, const struct pgcopy_field *seal, int64_t no)
{
	struct verify_differs *differs = &verify->differs;

	if (differs->count == VERIFY_DIFFERS_MAX)
		verify_differs(verify, false);
	differs->epoch = pgcopy_number(&seal[SEAL_EPOCH]);
	differs->xid_from = pgcopy_number(&seal[SEAL_XID_FROM]);
	differs->no[differs->count++] = no;
}

static void
verify_settle_differs(struct verify *verify, const struct pgcopy_field *seal)
{
	const struct verify_differs *differs = &verify->differs;
	const int64_t epoch = pgcopy_number(&seal[SEAL_EPOCH]);

	if (epoch > differs->epoch ||
	    pgcopy_number(&seal[SEAL_XID_FROM]) != differs->xid_from)
		verify_differs(verify, epoch > differs->epoch);
}

static void
verify_anchor(
    struct verify *verify, const struct pgcopy_field *seal, int64_t no)
{
	struct receipt_log *witness = verify->witness;
	uint64_t found;

	if (witness == NULL)
		return;
	found = witness->seals_found;
	if (!receipt_log_seal_agrees(witness, no,
		pgcopy_number(&seal[SEAL_EPOCH]), seal[SEAL_HASH].bytes))
		verify_note_differs(verify, seal, no);
	if (witness->seals_found == found &&
	    seal[SEAL_ANCHORED_AT].bytes != NULL)
		verify->unanchored++;
}

/* An epoch ends with all its rows sealed: only those of the last may not be. */
static void
verify_note_sealed(struct verify *verify, int64_t epoch, int64_t xid)
{
	if (epoch < verify->epoch)
		return;
	if (epoch > verify->epoch || xid > verify->sealed)
		verify->sealed = xid;
	verify->epoch = epoch;
}

/* Of what is known of the seal before, only numbers and hash are kept. */
static void
verify_link(struct verify *verify, const struct pgcopy_field *seal,
    const struct verify_seal *before, const unsigned char *before_hash)
{
	int64_t no = pgcopy_number(&seal[SEAL_NO]);
	int64_t epoch = pgcopy_number(&seal[SEAL_EPOCH]);
	int64_t month = pgcopy_number(&seal[SEAL_MONTH]);
	int64_t from = pgcopy_number(&seal[SEAL_XID_FROM]);
	int64_t to = pgcopy_number(&seal[SEAL_XID_TO]);
	const char *place = verify_place("seal", no);
	bool goes_on;

	if (!before->given) {
		if (no > 0 && !verify->partial)
			verify_damage(verify, "seal_missing", place,
			    "the seals before it are missing");
		return;
	}
	if (no <= before->no) {
		verify_damage(verify, "chain_broken", place,
		    "it comes after seal %" PRId64, before->no);
		return;
	}
	if (no != before->no + 1) {
		if (!verify->partial)
			verify_damage(verify, "seal_missing", place,
			    "the seals from %" PRId64 " to %" PRId64
			    " are missing",
			    before->no + 1, no - 1);
		return;
	}
	if (memcmp(seal[SEAL_PREV].bytes, before_hash, CRYPTO_SHA256_SIZE) != 0)
		verify_damage(verify, "chain_broken", place,
		    "it does not hold the hash of the seal before");
	if (epoch == before->epoch)
		goes_on = from == before->xid_to ||
		    (from == before->xid_from && to == before->xid_to &&
			month > before->month);
	else
		goes_on = epoch == before->epoch + 1 && from == to &&
		    pgcopy_number(&seal[SEAL_N]) == 0;
	if (!goes_on)
		verify_damage(verify, "seal_gap", place,
		    "its transactions do not go on from those before");
}

/* An export is of one month. */
static void
verify_seal_month(
    struct verify *verify, const struct pgcopy_field *seal, const char *place)
{
	const int64_t month = pgcopy_number(&seal[SEAL_MONTH]);
	char name[MONTHS_NAME_SIZE];

	if (!verify->partial || (verify->month_known && month == verify->month))
		return;
	if (!verify->month_known) {
		verify->month = month;
		verify->month_known = true;
		return;
	}
	months_name(month, name);
	verify_damage(verify, "other_month", place,
	    "it is of month %s, and the first seal of another", name);
}

/* A seal over nothing begins an epoch, or closes a month as it is. */
static void
verify_closing(struct verify *verify, const struct pgcopy_field *seal,
    const struct verify_seal *before, const char *place)
{
	bool is_over_nothing = pgcopy_number(&seal[SEAL_N]) == 0 &&
	    pgcopy_number(&seal[SEAL_XID_FROM]) ==
		pgcopy_number(&seal[SEAL_XID_TO]);
	bool closes = closing_seal(&verify->closing,
	    pgcopy_number(&seal[SEAL_MONTH]), pgcopy_number(&seal[SEAL_NO]),
	    is_over_nothing, seal[SEAL_ROOT].bytes, seal[SEAL_HASH].bytes);

	if (is_over_nothing && !closes && !verify->partial && before->given &&
	    before->epoch == pgcopy_number(&seal[SEAL_EPOCH]))
		verify_damage(verify, "seal_changed", place,
		    "it closes a month with other seals than there are");
}

/* All of a month is there, up to the seal that closed it, and is signed. */
static void
verify_export(struct verify *verify)
{
	int64_t no;

	if (closing_is_open(&verify->closing, &no))
		verify_damage(verify, "seal_missing", verify_place("seal", no),
		    "the seals of the month up to it, which should close it, "
		    "are not all that there were");
	if (verify->unsigned_seals > 0)
		verify_damage(verify, "seal_unsigned",
		    verify_place("seal", verify->unsigned_first),
		    "it has no signature, and was exported");
}

void
verify_chain(struct verify *verify, struct pgcopy *seals)
{
	struct pgcopy_field seal[SEAL_FIELDS];
	struct verify_seal before = { .given = false };
	unsigned char hash[CRYPTO_SHA256_SIZE], before_hash[sizeof(hash)];
	const char *place;
	int64_t no;

	while (pgcopy_next(seals, seal, SEAL_FIELDS)) {
		no = pgcopy_number(&seal[SEAL_NO]);
		verify_is_signed(verify, seal, no);
		place = verify_place("seal", no);
		verify->seals++;
		if (!verify_is_seal(seal)) {
			verify_damage(verify, "seal_changed", place,
			    "it is not of the form of a seal");
			continue;
		}
		verify_seal_hash(seal, hash);
		if (memcmp(hash, seal[SEAL_HASH].bytes, sizeof(hash)) != 0)
			verify_damage(verify, "seal_changed", place,
			    "its hash is not that of its other columns");
		verify_signature(verify, seal, place);
		verify_settle_differs(verify, seal);
		verify_anchor(verify, seal, no);
		verify_link(verify, seal, &before, before_hash);
		verify_closing(verify, seal, &before, place);
		verify_seal_month(verify, seal, place);
		before.given = true;
		before.no = verify->last_seal = no;
		before.epoch = pgcopy_number(&seal[SEAL_EPOCH]);
		before.month = pgcopy_number(&seal[SEAL_MONTH]);
		before.xid_from = pgcopy_number(&seal[SEAL_XID_FROM]);
		before.xid_to = pgcopy_number(&seal[SEAL_XID_TO]);
		memcpy(before_hash, seal[SEAL_HASH].bytes, sizeof(before_hash));
		verify_note_sealed(verify, before.epoch, before.xid_to);
	}
	verify_differs(verify, false);
	verify_read_failed(verify, seals);
	if (verify->seals == 0)
		verify_damage(verify, "seal_missing", "seal 0",
		    "there are no seals at all");
	if (verify->partial)
		verify_export(verify);
}

/* Rows --------------------------------------------------------------------- */

/* The first day of the month, in days since 2000-01-01 as PostgreSQL's. */
static int64_t
verify_month(int64_t at)
{
	int64_t days = at / VERIFY_DAY - (at % VERIFY_DAY < 0);
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
verify_number_add(EVP_MD_CTX *context, uint32_t number)
{
	number = htobe32(number);
	EVP_DigestUpdate(context, &number, sizeof(number));
}

/* As record_send writes a row of these types. */
static void
verify_row_hash(
    EVP_MD_CTX *context, const struct pgcopy_field *event, unsigned char *hash)
{
	int i;

	EVP_DigestInit_ex(context, EVP_sha256(), NULL);
	EVP_DigestUpdate(
	    context, VERIFY_ROW_LABEL, sizeof(VERIFY_ROW_LABEL) - 1);
	verify_number_add(context, EVENT_HASH);
	for (i = 0; i < EVENT_HASH; i++) {
		verify_number_add(context, verify_types[i]);
		if (event[i].bytes == NULL) {
			verify_number_add(context, UINT32_MAX);
			continue;
		}
		verify_number_add(context, event[i].size);
		EVP_DigestUpdate(context, event[i].bytes, event[i].size);
	}
	EVP_DigestFinal_ex(context, hash, NULL);
}

/* The next seal that has rows. */
static void
verify_take_seal(struct verify_seal *seal, struct pgcopy *seals)
{
	struct pgcopy_field fields[SEAL_FIELDS];

	seal->given = false;
	while (!seal->given && pgcopy_next(seals, fields, SEAL_FIELDS)) {
		seal->n = pgcopy_number(&fields[SEAL_N]);
		if (seal->n == 0 || !verify_is_seal(fields))
			continue;
		seal->given = true;
		seal->no = pgcopy_number(&fields[SEAL_NO]);
		seal->epoch = pgcopy_number(&fields[SEAL_EPOCH]);
		seal->month = pgcopy_number(&fields[SEAL_MONTH]);
		seal->xid_from = pgcopy_number(&fields[SEAL_XID_FROM]);
		seal->xid_to = pgcopy_number(&fields[SEAL_XID_TO]);
		memcpy(seal->root, fields[SEAL_ROOT].bytes, sizeof(seal->root));
	}
}

static bool
verify_is_same_range(
    const struct verify_seal *one, const struct verify_seal *other)
{
	return (one->epoch == other->epoch &&
	    one->xid_from == other->xid_from && one->xid_to == other->xid_to);
}

static void
verify_take_range(struct verify_range *range)
{
	range->count = 0;
	while (range->next.given && range->count < VERIFY_MONTHS_MAX &&
	    (range->count == 0 ||
		verify_is_same_range(&range->months[0].seal, &range->next))) {
		range->months[range->count].seal = range->next;
		range->months[range->count].found = 0;
		EVP_DigestInit_ex(
		    range->months[range->count].hashes, EVP_sha256(), NULL);
		range->count++;
		verify_take_seal(&range->next, range->seals);
	}
}

/* What the rows of a seal say counts as long as the seal holds. */
static void
verify_forget(struct verify *verify, int64_t no)
{
	months_forget(&verify->months, no);
	epochs_forget(&verify->epochs, no);
}

static void
verify_finish_seal(struct verify *verify, const struct verify_seal *seal,
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
		verify_forget(verify, seal->no);
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
verify_finish_range(struct verify *verify, struct verify_range *range)
{
	size_t i;

	for (i = 0; i < range->count; i++)
		verify_finish_seal(verify, &range->months[i].seal,
		    range->months[i].found, range->months[i].hashes);
}

/* Whether the seals are over before a row of this place. */
static bool
verify_is_past(const struct verify_range *range, int64_t epoch, int64_t xid)
{
	const struct verify_seal *seal = &range->months[0].seal;

	if (seal->epoch != epoch)
		return (seal->epoch < epoch);
	return (seal->xid_to <= xid);
}

/* The seal of the row, which is counted to it; NULL: there is none. */
static const struct verify_seal *
verify_row_seal(struct verify_range *range, int64_t epoch, int64_t xid,
    int64_t month, const struct pgcopy_field *hash)
{
	size_t i;

	for (i = 0; i < range->count; i++) {
		const struct verify_seal *seal = &range->months[i].seal;

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

/* Whether that was done; one that was refused has an error. */
static bool
verify_is(const struct pgcopy_field *event, const char *name)
{
	const struct pgcopy_field *method = &event[EVENT_METHOD];

	return (method->bytes != NULL && event[EVENT_ERROR].bytes == NULL &&
	    method->size == strlen(name) &&
	    memcmp(method->bytes, name, method->size) == 0);
}

static void
verify_row(struct verify *verify, struct verify_range *range,
    const struct pgcopy_field *event, const unsigned char *hash)
{
	int64_t id = pgcopy_number(&event[EVENT_ID]);
	int64_t epoch = pgcopy_number(&event[EVENT_EPOCH]);
	int64_t xid = pgcopy_number(&event[EVENT_XID]);
	int64_t month = verify_month(pgcopy_number(&event[EVENT_AT]));
	const struct verify_seal *seal;
	bool changed = !verify_is_hash(&event[EVENT_HASH]) ||
	    memcmp(hash, event[EVENT_HASH].bytes, CRYPTO_SHA256_SIZE) != 0;

	verify->rows++;
	if (changed)
		verify_damage(verify, "row_changed", verify_place("row", id),
		    "its hash is not that of its other columns");
	if (verify->witness != NULL)
		receipt_log_row(verify->witness, id,
		    coverage_mark(&verify->witness->coverage,
			&event[EVENT_INSTANCE], &event[EVENT_REQUEST_ID],
			&event[EVENT_METHOD]),
		    (uint32_t)(pgcopy_number(&event[EVENT_AT]) / VERIFY_SECOND),
		    hash);
	while (range->count > 0 && verify_is_past(range, epoch, xid)) {
		verify_finish_range(verify, range);
		verify_take_range(range);
	}
	seal = verify_row_seal(range, epoch, xid, month, &event[EVENT_HASH]);
	if (seal != NULL) {
		if (!changed && verify_is(event, VERIFY_DROP))
			months_hear(&verify->months, seal->no, month,
			    &event[EVENT_REQUEST]);
		else if (!changed && verify_is(event, VERIFY_EPOCH))
			epochs_hear(
			    &verify->epochs, seal->no, &event[EVENT_REQUEST]);
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
verify_absent(struct verify *verify)
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
		    " to %" PRId64
		    " is there, and no sealed row of " VERIFY_DROP
		    " says that they were dropped",
		    month->rows, month->first_seal, month->last_seal);
	}
}

/* Of an export, the first row tells that its seals are in another file. */
static bool
verify_is_of_other_month(
    struct verify *verify, const struct pgcopy_field *event)
{
	verify->other_month = verify->partial && verify->rows == 0 &&
	    verify->month_known &&
	    verify_month(pgcopy_number(&event[EVENT_AT])) != verify->month;
	return (verify->other_month);
}

void
verify_rows(struct verify *verify, struct pgcopy *seals, struct pgcopy *events)
{
	struct pgcopy_field event[EVENT_FIELDS];
	struct verify_range range = { .seals = seals };
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char hash[CRYPTO_SHA256_SIZE];
	size_t i;

	for (i = 0; i < VERIFY_MONTHS_MAX; i++)
		range.months[i].hashes = EVP_MD_CTX_new();
	verify_take_seal(&range.next, seals);
	verify_take_range(&range);
	while (pgcopy_next(events, event, EVENT_FIELDS)) {
		if (verify_is_of_other_month(verify, event))
			break;
		verify_row_hash(context, event, hash);
		verify_row(verify, &range, event, hash);
	}
	verify_read_failed(verify, events);
	while (range.count > 0) {
		verify_finish_range(verify, &range);
		verify_take_range(&range);
	}
	verify_absent(verify);
	EVP_MD_CTX_free(context);
	for (i = 0; i < VERIFY_MONTHS_MAX; i++)
		EVP_MD_CTX_free(range.months[i].hashes);
}

/* Anchors ------------------------------------------------------------------ */

static void
verify_lost(struct verify *verify, uint64_t count, int64_t first,
    const char *kind, const char *what, const char *words)
{
	if (count > 0)
		verify_damage(verify, kind, verify_place(what, first),
		    "it and %" PRIu64 " more %s", count - 1, words);
}

/* Whether a row that is not there may come yet, which is counted. */
static bool
verify_is_behind(struct verify *verify, int64_t row)
{
	if (!verify->standby || row <= verify->standby_row)
		return (false);
	if (verify->behind_receipts++ == 0)
		verify->behind_row = row;
	return (true);
}

/* The same of seals after the last, which are all or none of those lost. */
static bool
verify_seals_are_behind(struct verify *verify)
{
	const struct receipt_log *witness = verify->witness;

	if (!verify->standby || witness->seals_lost == 0 ||
	    witness->seals_lost_first <= verify->last_seal)
		return (false);
	verify->behind_seals = witness->seals_lost;
	verify->behind_seal = witness->seals_lost_first;
	return (true);
}

/* What was given out as receipts, and is not as it was; how many are gone. */
static uint64_t
verify_receipts(struct verify *verify, int64_t *first)
{
	struct receipt_log_fault fault;
	uint64_t lost = 0;

	while (receipt_log_next_fault(verify->witness, &fault)) {
		if (!fault.lost)
			verify_damage(verify, "receipt_differs",
			    verify_place("row", fault.row),
			    "another hash was given out as its receipt");
		else if (!months_dropped_row(&verify->months, fault.row) &&
		    !epochs_lost_row(&verify->epochs, fault.row) &&
		    !verify_is_behind(verify, fault.row) && lost++ == 0)
			*first = fault.row;
	}
	return (lost);
}

/* Rows of an instance whose log has no receipt for them, but goes on. */
static void
verify_coverage(struct verify *verify)
{
	struct coverage *coverage = &verify->witness->coverage;
	char text[UUID_STR_LEN];
	size_t i;

	coverage_end(coverage);
	for (i = 0; i < coverage->count; i++) {
		const struct coverage_instance *instance =
		    &coverage->instances[i];

		if (instance->missing.count == 0)
			continue;
		uuid_unparse_lower(instance->id, text);
		verify_damage(verify, "receipt_missing",
		    verify_place("row", instance->missing.first),
		    "it and %" PRIu64 " more of instance %s have no receipt, "
		    "though its log %s: they were "
		    "forged, or a part of the log was not given",
		    instance->missing.count - 1, text,
		    instance->stopped ? "goes on to its end"
				      : "has receipts of later rows");
	}
	if (verify->complete && coverage->foreign.count > 0)
		verify_damage(verify, "receipt_missing",
		    verify_place("row", coverage->foreign.first),
		    "it and %" PRIu64 " more are of calls, and of no instance "
		    "whose log was given",
		    coverage->foreign.count - 1);
}

void
verify_anchors(struct verify *verify)
{
	struct receipt_log *witness = verify->witness;
	uint64_t lost = 0;
	int64_t first = 0;

	if (witness == NULL)
		return;
	receipt_log_seals_end(witness, verify->epoch);
	if (receipt_log_rows_end(witness))
		lost = verify_receipts(verify, &first);
	verify_coverage(verify);
	/* What is no part of an export has anchors and receipts, too. */
	if (!verify->partial) {
		if (!verify_seals_are_behind(verify))
			verify_lost(verify, witness->seals_lost,
			    witness->seals_lost_first, "anchor_lost", "seal",
			    "were anchored and are gone: the end was cut off, "
			    "or an older backup is in its place, or a standby "
			    "that lagged, and no epoch was begun");
		verify_lost(verify, lost, first, "receipt_lost", "row",
		    "were given out as receipts and are gone");
	}
	if (!receipt_log_is_whole(witness))
		verify_damage(verify, "unreadable", "anchors",
		    "what was kept of them and of rows cannot be read again, "
		    "or there was no room for it");
}

void
verify_free(struct verify *verify)
{
	closing_free(&verify->closing);
	months_free(&verify->months);
	epochs_free(&verify->epochs);
	memory_free(verify->keys);
}
