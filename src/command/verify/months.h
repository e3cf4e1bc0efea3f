/*
 * The months of the audit, of which whole ones may be without rows.  That
 * operator.audit_drop_month has dropped one is believed only when a row that
 * seals cover says so: a note anybody could make who removes rows.
 */
#ifndef COFFER_MONTHS_H
#define COFFER_MONTHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command/verify/pgcopy.h"

#define MONTHS_NAME_SIZE 11 /* 2027-01-01, or what fits of it */

struct month {
	int64_t first_day; /* since 2000-01-01 */
	bool has_rows;
	/* Those of its seals that are over rows, none of which is there. */
	uint64_t seals;
	int64_t first_seal, last_seal;
	int64_t rows;
};

/* What a row of operator.audit_drop_month says of a month. */
struct months_drop {
	char name[MONTHS_NAME_SIZE];
	int64_t rows, first_id, last_id;
	int64_t seal; /* that the row is in */
	bool believed;
	/* How many ids months_dropped_row was asked for, and the last. */
	int64_t asked, last_asked;
};

struct months {
	struct month *months;
	size_t count, room;
	struct months_drop *drops;
	size_t drops_count, drops_room;
};

void months_free(struct months *months);

/* The month that begins on a day; good until another one is asked for. */
struct month *months_get(struct months *months, int64_t first_day);

void months_name(int64_t first_day, char name[MONTHS_NAME_SIZE]);

/* A row of the event in a seal and a month: its column request. */
void months_hear(struct months *months, int64_t seal, int64_t first_day,
    const struct pgcopy_field *request);

/* That seal does not hold: what its rows say is forgotten. */
void months_forget(struct months *months, int64_t seal);

/* After all rows: whether a month without any was dropped with all of them. */
bool months_was_dropped(struct months *months, const struct month *month);

/*
 * After that: whether a row that is not there was in such a month.  To be asked
 * in the order of ids; a month had no more rows than its seals say.
 */
bool months_dropped_row(struct months *months, int64_t id);

#endif
