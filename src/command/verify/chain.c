#include <inttypes.h>
#include <string.h>

#include "command/verify/chain.h"
#include "command/verify/seal_row.h"

/* The trusted key that has signed a seal; NULL: none has. */
static const struct verify_key *
chain_signature_key(
    const struct verify *verify, const struct pgcopy_field *seal)
{
	const struct pgcopy_field *signature = &seal[SEAL_ROW_SIGNATURE];
	size_t i;

	if (signature->size != CRYPTO_SIGNATURE_SIZE)
		return (NULL);
	for (i = 0; i < verify->keys_count; i++) {
		if (crypto_verify(verify->keys[i].bytes,
			seal[SEAL_ROW_HASH].bytes, CRYPTO_SHA256_SIZE,
			signature->bytes))
			return (&verify->keys[i]);
	}
	return (NULL);
}

static void
chain_signature(
    struct verify *verify, const struct pgcopy_field *seal, const char *place)
{
	const struct pgcopy_field *signer = &seal[SEAL_ROW_SIGNER];
	const struct verify_key *key;

	if (verify->keys_count == 0 || seal[SEAL_ROW_SIGNATURE].bytes == NULL)
		return;
	key = chain_signature_key(verify, seal);
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
chain_note_signed(
    struct verify *verify, const struct pgcopy_field *seal, int64_t no)
{
	if (seal[SEAL_ROW_SIGNATURE].bytes == NULL) {
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
chain_differs(struct verify *verify, bool ended)
{
	struct verify_differs *differs = &verify->differs;
	size_t i;

	for (i = 0; i < differs->count; i++) {
		if (ended)
			receipt_log_seal_ended(verify->log, differs->no[i]);
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
chain_note_differs(
    struct verify *verify, const struct pgcopy_field *seal, int64_t no)
{
	struct verify_differs *differs = &verify->differs;

	if (differs->count == VERIFY_DIFFERS_MAX)
		chain_differs(verify, false);
	differs->epoch = pgcopy_number(&seal[SEAL_ROW_EPOCH]);
	differs->xid_from = pgcopy_number(&seal[SEAL_ROW_XID_FROM]);
	differs->no[differs->count++] = no;
}

static void
chain_settle_differs(struct verify *verify, const struct pgcopy_field *seal)
{
	const struct verify_differs *differs = &verify->differs;
	const int64_t epoch = pgcopy_number(&seal[SEAL_ROW_EPOCH]);

	if (epoch > differs->epoch ||
	    pgcopy_number(&seal[SEAL_ROW_XID_FROM]) != differs->xid_from)
		chain_differs(verify, epoch > differs->epoch);
}

static void
chain_anchor(struct verify *verify, const struct pgcopy_field *seal, int64_t no)
{
	struct receipt_log *log = verify->log;
	uint64_t found;

	if (log == NULL)
		return;
	found = log->seals_found;
	if (!receipt_log_seal_agrees(log, no,
		pgcopy_number(&seal[SEAL_ROW_EPOCH]),
		seal[SEAL_ROW_HASH].bytes))
		chain_note_differs(verify, seal, no);
	if (log->seals_found == found &&
	    seal[SEAL_ROW_ANCHORED_AT].bytes != NULL)
		verify->unanchored++;
}

/* An epoch ends with all its rows sealed: only those of the last may not be. */
static void
chain_note_sealed(struct verify *verify, int64_t epoch, int64_t xid)
{
	if (epoch < verify->epoch)
		return;
	if (epoch > verify->epoch || xid > verify->sealed)
		verify->sealed = xid;
	verify->epoch = epoch;
}

static void
chain_link(struct verify *verify, const struct pgcopy_field *seal,
    const struct seal_row *before)
{
	int64_t no = pgcopy_number(&seal[SEAL_ROW_NO]);
	int64_t epoch = pgcopy_number(&seal[SEAL_ROW_EPOCH]);
	int64_t month = pgcopy_number(&seal[SEAL_ROW_MONTH]);
	int64_t from = pgcopy_number(&seal[SEAL_ROW_XID_FROM]);
	int64_t to = pgcopy_number(&seal[SEAL_ROW_XID_TO]);
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
	if (memcmp(seal[SEAL_ROW_PREV].bytes, before->hash,
		CRYPTO_SHA256_SIZE) != 0)
		verify_damage(verify, "chain_broken", place,
		    "it does not hold the hash of the seal before");
	if (epoch == before->epoch)
		goes_on = from == before->xid_to ||
		    (from == before->xid_from && to == before->xid_to &&
			month > before->month);
	else
		goes_on = epoch == before->epoch + 1 && from == to &&
		    pgcopy_number(&seal[SEAL_ROW_N]) == 0;
	if (!goes_on)
		verify_damage(verify, "seal_gap", place,
		    "its transactions do not go on from those before");
}

/* An export is of one month. */
static void
chain_month(
    struct verify *verify, const struct pgcopy_field *seal, const char *place)
{
	const int64_t month = pgcopy_number(&seal[SEAL_ROW_MONTH]);
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
chain_closing(struct verify *verify, const struct pgcopy_field *seal,
    const struct seal_row *before, const char *place)
{
	bool is_over_nothing = pgcopy_number(&seal[SEAL_ROW_N]) == 0 &&
	    pgcopy_number(&seal[SEAL_ROW_XID_FROM]) ==
		pgcopy_number(&seal[SEAL_ROW_XID_TO]);
	bool closes =
	    closing_seal(&verify->closing, pgcopy_number(&seal[SEAL_ROW_MONTH]),
		pgcopy_number(&seal[SEAL_ROW_NO]), is_over_nothing,
		seal[SEAL_ROW_ROOT].bytes, seal[SEAL_ROW_HASH].bytes);

	if (is_over_nothing && !closes && !verify->partial && before->given &&
	    before->epoch == pgcopy_number(&seal[SEAL_ROW_EPOCH]))
		verify_damage(verify, "seal_changed", place,
		    "it closes a month with other seals than there are");
}

/* All of a month is there, up to the seal that closed it, and is signed. */
static void
chain_export(struct verify *verify)
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
chain_verify(struct verify *verify, struct pgcopy *seals)
{
	struct pgcopy_field seal[SEAL_ROW_FIELDS];
	struct seal_row before = { .given = false };
	unsigned char hash[CRYPTO_SHA256_SIZE];
	const char *place;
	int64_t no;

	while (pgcopy_next(seals, seal, SEAL_ROW_FIELDS)) {
		no = pgcopy_number(&seal[SEAL_ROW_NO]);
		chain_note_signed(verify, seal, no);
		place = verify_place("seal", no);
		verify->seals++;
		if (!seal_row_is_sound(seal)) {
			verify_damage(verify, "seal_changed", place,
			    "it is not of the form of a seal");
			continue;
		}
		seal_row_hash(seal, hash);
		if (memcmp(hash, seal[SEAL_ROW_HASH].bytes, sizeof(hash)) != 0)
			verify_damage(verify, "seal_changed", place,
			    "its hash is not that of its other columns");
		chain_signature(verify, seal, place);
		chain_settle_differs(verify, seal);
		chain_anchor(verify, seal, no);
		chain_link(verify, seal, &before);
		chain_closing(verify, seal, &before, place);
		chain_month(verify, seal, place);
		seal_row_read(seal, &before);
		verify->last_seal = no;
		chain_note_sealed(verify, before.epoch, before.xid_to);
	}
	chain_differs(verify, false);
	verify_read_failed(verify, seals);
	if (verify->seals == 0)
		verify_damage(verify, "seal_missing", "seal 0",
		    "there are no seals at all");
	if (verify->partial)
		chain_export(verify);
}
