#include <inttypes.h>
#include <stdio.h>

#include "command/audit_report.h"

static void
audit_report_anchors(const struct verify *verify)
{
	const struct receipt_log *log = verify->log;

	if (log == NULL) {
		fprintf(stderr,
		    "coffer: without --anchors, a chain that was %s is not "
		    "detected\n",
		    verify->partial ? "made anew" : "cut off");
		return;
	}
	fprintf(stderr, "coffer: anchors of %" PRIu64 " of %" PRIu64 " seals",
	    log->seals_found, verify->seals);
	if (log->seals_found > 0)
		fprintf(stderr, ", the last of seal %" PRId64,
		    log->seals_found_last);
	fprintf(stderr, "; receipts of %" PRIu64 " rows, %" PRIu64 " found\n",
	    log->receipts_rows, log->receipts_found);
	if (log->coverage.foreign.count > 0)
		fprintf(stderr,
		    "coffer: %" PRIu64 " rows of calls, the first of them row "
		    "%" PRId64 ", are of no instance whose log was given\n",
		    log->coverage.foreign.count, log->coverage.foreign.first);
	if (log->coverage.open.count > 0)
		fprintf(stderr,
		    "coffer: %" PRIu64 " rows of calls, the first of them row "
		    "%" PRId64 ", have no receipt, and their instance has none "
		    "of later rows: it was killed, or they were forged\n",
		    log->coverage.open.count, log->coverage.open.first);
	if (log->coverage.lossy > 0)
		fprintf(stderr,
		    "coffer: the logs of %" PRIu64 " instances have lost "
		    "lines: their rows need no receipt\n",
		    log->coverage.lossy);
	if (verify->unanchored > 0)
		fprintf(stderr,
		    "coffer: of %" PRIu64 " seals that the database has noted "
		    "as anchored there is no anchor in what was given\n",
		    verify->unanchored);
}

/* The epochs that rows of operator.audit_epoch_begin have declared. */
static void
audit_report_epochs(const struct verify *verify)
{
	const struct epochs_begin *begin;
	size_t i;

	for (i = 0; i < verify->epochs.count; i++) {
		begin = &verify->epochs.begins[i];
		fprintf(stderr,
		    "coffer: epoch %" PRId64 " has the rows up to %" PRId64
		    ", epoch %" PRId64 " those after %" PRId64 "\n",
		    begin->epoch - 1, begin->settled_id, begin->epoch,
		    begin->id_from);
	}
}

/* What is not there, and is no damage: once for each epoch. */
static void
audit_report_lost(const struct verify *verify)
{
	const struct receipt_log *log = verify->log;
	const struct epochs_begin *begin;
	size_t i;

	for (i = 0; i < verify->epochs.count; i++) {
		begin = &verify->epochs.begins[i];
		if (begin->receipts > 0)
			fprintf(stderr,
			    "coffer: %" PRIu64 " receipts, of rows %" PRId64
			    " to %" PRId64 ", were lost when epoch %" PRId64
			    " began, as operator.audit_epoch_begin says\n",
			    begin->receipts, begin->first, begin->last,
			    begin->epoch);
	}
	if (log != NULL && !verify->partial && log->seals_ended > 0)
		fprintf(stderr,
		    "coffer: %" PRIu64 " anchored seals, %" PRId64
		    " to %" PRId64
		    ", were lost when their epoch ended and the next began\n",
		    log->seals_ended, log->seals_ended_first,
		    log->seals_ended_last);
	if (verify->behind_seals > 0)
		fprintf(stderr,
		    "coffer: this standby is behind: it lacks %" PRIu64
		    " anchored seals from seal %" PRId64 "\n",
		    verify->behind_seals, verify->behind_seal);
	if (verify->behind_receipts > 0)
		fprintf(stderr,
		    "coffer: this standby is behind: it lacks %" PRIu64
		    " rows with receipts from row %" PRId64 "\n",
		    verify->behind_receipts, verify->behind_row);
}

bool
audit_report(const struct verify *verify)
{
	char month[MONTHS_NAME_SIZE];
	size_t i;

	audit_report_epochs(verify);
	audit_report_lost(verify);
	if (verify->partial && verify->month_known) {
		months_name(verify->month, month);
		fprintf(stderr, "coffer: the export of month %s\n", month);
	}

	for (i = 0; i < verify->months.drops_count; i++) {
		if (verify->months.drops[i].believed)
			fprintf(stderr,
			    "coffer: month %s was dropped with its %" PRId64
			    " rows, as operator.audit_drop_month says\n",
			    verify->months.drops[i].name,
			    verify->months.drops[i].rows);
	}
	fprintf(stderr,
	    "coffer: %" PRIu64 " seals, %" PRIu64 " rows, %" PRIu64
	    " of them not sealed yet: ",
	    verify->seals, verify->rows, verify->unsealed);
	if (verify->damages == 0)
		fprintf(stderr, "sound\n");
	else
		fprintf(stderr, "%" PRIu64 " damages\n", verify->damages);
	if (verify->keys_count == 0)
		fprintf(stderr,
		    "coffer: signatures were not verified: give --public-key\n");
	if (verify->unsigned_seals > 0)
		fprintf(stderr,
		    "coffer: the last %" PRIu64 " seals have no signature "
		    "yet\n",
		    verify->unsigned_seals);
	audit_report_anchors(verify);
	return (verify->damages == 0);
}
