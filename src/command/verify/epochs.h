/*
 * The epochs of the audit: what a restore or a failover has lost is not damage
 * where a row of operator.audit_epoch_begin, which seals cover, declares it.
 */
#ifndef COFFER_EPOCHS_H
#define COFFER_EPOCHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command/verify/pgcopy.h"

/* What such a row says: ids between these two may have been given out. */
struct epochs_begin {
	int64_t epoch; /* that began */
	int64_t settled_id, id_from;
	int64_t seal; /* that the row is in */
	/* Receipts of rows that were lost. */
	uint64_t receipts;
	int64_t first, last;
};

struct epochs {
	struct epochs_begin *begins;
	size_t count, room;
};

void epochs_free(struct epochs *epochs);

/* The row of the event in a seal: its column request. */
void epochs_hear(
    struct epochs *epochs, int64_t seal, const struct pgcopy_field *request);

/* That seal does not hold: what its rows say is forgotten. */
void epochs_forget(struct epochs *epochs, int64_t seal);

/*
 * After all rows: whether a row that is not there was lost when an epoch began,
 * in which case it is counted there.
 */
bool epochs_lost_row(struct epochs *epochs, int64_t id);

#endif
