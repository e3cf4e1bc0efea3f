/*
 * Numbers with a unit, as PostgreSQL writes them: 250ms, 10s, 5min, 64kB.
 */
#ifndef COFFER_UNITS_H
#define COFFER_UNITS_H

#include <stdbool.h>

/* The unit of a number that is written without one. */
enum units_base {
	UNITS_NONE, /* a count: it takes no unit */
	UNITS_MILLISECONDS,
	UNITS_SECONDS,
	UNITS_BYTES,
};

#define UNITS_TEXT_SIZE 32

/*
 * Reads a whole number and a unit, with or without a space between them.  The
 * value is in base; false when text is not of this form, when the value is
 * not a whole number in base, or when it does not fit.
 */
bool units_read(enum units_base base, const char *text, long *value)
    __attribute__((warn_unused_result));

/* Writes a value, which is not negative, in the largest unit that fits it. */
void units_write(enum units_base base, long value, char text[UNITS_TEXT_SIZE]);

/* The units that a number in base may have, for people; NULL: none. */
const char *units_names(enum units_base base);

/* The unit that base is; NULL: none. */
const char *units_name(enum units_base base);

#endif
