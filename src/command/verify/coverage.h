/*
 * Rows of the audit that no receipt covers.  A log says which instances wrote
 * it, which of them stopped by themselves, which calls had an outcome that
 * nobody heard, and whether it lost lines.  Each call of such an instance has
 * its receipt there: all of them if it stopped, or else up to the last one.
 */
#ifndef COFFER_COVERAGE_H
#define COFFER_COVERAGE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uuid/uuid.h>

#include "command/verify/pgcopy.h"

/* Marks of rows, besides the places of instances from COVERAGE_FIRST on. */
enum {
	COVERAGE_NONE, /* nothing is known of its instance, or it has none */
	COVERAGE_FOREIGN, /* of a call, and of no instance in the log */
	COVERAGE_FIRST,
};

/* Of rows that are given in the order of their numbers. */
struct coverage_rows {
	uint64_t count; /* without a receipt */
	int64_t first;
	uint32_t at; /* of that, in seconds */
};

struct coverage_instance {
	uuid_t id;
	bool started; /* its log has its begin */
	bool stopped; /* its log has its end, after all its receipts */
	bool lossy; /* its log has lost lines: nothing is known */
	struct coverage_rows waiting; /* since a row with a receipt */
	struct coverage_rows missing; /* long before a row with a receipt,
	                                 or of one that has stopped */
};

struct coverage {
	struct coverage_instance *instances;
	size_t count, room;
	/* Requests whose outcome nobody heard. */
	unsigned char (*unheard)[sizeof(uuid_t)];
	size_t unheard_count, unheard_room;
	struct coverage_rows foreign;
	struct coverage_rows open; /* long before the newest row with a receipt,
	                              and after the last one of its instance */
	uint32_t newest; /* row with a receipt, in seconds */
	uint64_t lossy; /* instances */
};

/* Whether an event of the log is one of those below. */
bool coverage_is_event(const char *json);

/* Keeps what a line says, if it is such an event. */
void coverage_hear(struct coverage *coverage, struct json_object *line);

/* After the last line, before what follows. */
void coverage_begin(struct coverage *coverage);

/*
 * The mark of a row by its instance, its request and its method, columns of
 * audit.event.
 */
uint32_t coverage_mark(const struct coverage *coverage,
    const struct pgcopy_field *instance, const struct pgcopy_field *request,
    const struct pgcopy_field *method);

/* A row with its mark and its time in seconds, and whether it has a receipt. */
void coverage_row(struct coverage *coverage, uint32_t mark, int64_t number,
    uint32_t at, bool covered);

/* After the last row: fills in what is missing and what is open. */
void coverage_end(struct coverage *coverage);

void coverage_free(struct coverage *coverage);

#endif
