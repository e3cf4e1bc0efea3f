#include <inttypes.h>

#include "command/verify/evidence.h"

static void
evidence_lost(struct verify *verify, uint64_t count, int64_t first,
    const char *kind, const char *what, const char *words)
{
	if (count > 0)
		verify_damage(verify, kind, verify_place(what, first),
		    "it and %" PRIu64 " more %s", count - 1, words);
}

/* Whether a row that is not there may come yet, which is counted. */
static bool
evidence_is_behind(struct verify *verify, int64_t row)
{
	if (!verify->standby || row <= verify->standby_row)
		return (false);
	if (verify->behind_receipts++ == 0)
		verify->behind_row = row;
	return (true);
}

/* The same of seals after the last, which are all or none of those lost. */
static bool
evidence_seals_are_behind(struct verify *verify)
{
	const struct receipt_log *log = verify->log;

	if (!verify->standby || log->seals_lost == 0 ||
	    log->seals_lost_first <= verify->last_seal)
		return (false);
	verify->behind_seals = log->seals_lost;
	verify->behind_seal = log->seals_lost_first;
	return (true);
}

/* What was given out as receipts, and is not as it was; how many are gone. */
static uint64_t
evidence_receipts(struct verify *verify, int64_t *first)
{
	struct receipt_log_fault fault;
	uint64_t lost = 0;

	while (receipt_log_next_fault(verify->log, &fault)) {
		if (!fault.lost)
			verify_damage(verify, "receipt_differs",
			    verify_place("row", fault.row),
			    "another hash was given out as its receipt");
		else if (!months_dropped_row(&verify->months, fault.row) &&
		    !epochs_lost_row(&verify->epochs, fault.row) &&
		    !evidence_is_behind(verify, fault.row) && lost++ == 0)
			*first = fault.row;
	}
	return (lost);
}

/* Rows of an instance whose log has no receipt for them, but goes on. */
static void
evidence_coverage(struct verify *verify)
{
	struct coverage *coverage = &verify->log->coverage;
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
evidence_verify(struct verify *verify)
{
	struct receipt_log *log = verify->log;
	uint64_t lost = 0;
	int64_t first = 0;

	if (log == NULL)
		return;
	receipt_log_seals_end(log, verify->epoch);
	if (receipt_log_rows_end(log))
		lost = evidence_receipts(verify, &first);
	evidence_coverage(verify);
	/* What is no part of an export has anchors and receipts, too. */
	if (!verify->partial) {
		if (!evidence_seals_are_behind(verify))
			evidence_lost(verify, log->seals_lost,
			    log->seals_lost_first, "anchor_lost", "seal",
			    "were anchored and are gone: the end was cut off, "
			    "or an older backup is in its place, or a standby "
			    "that lagged, and no epoch was begun");
		evidence_lost(verify, lost, first, "receipt_lost", "row",
		    "were given out as receipts and are gone");
	}
	if (!receipt_log_is_whole(log))
		verify_damage(verify, "unreadable", "anchors",
		    "what was kept of them and of rows cannot be read again, "
		    "or there was no room for it");
}
