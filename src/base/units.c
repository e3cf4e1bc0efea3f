#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

struct unit {
	const char *name;
	long size; /* in the first of its list */
};

/* From small to large: each is a multiple of the one before. */
static const struct unit units_times[] = {
	{ "ms", 1 },
	{ "s", 1000 },
	{ "min", 60000 },
	{ "h", 3600000 },
	{ "d", 86400000 },
	{ NULL, 0 },
};

static const struct unit units_sizes[] = {
	{ "B", 1 },
	{ "kB", 1L << 10 },
	{ "MB", 1L << 20 },
	{ "GB", 1L << 30 },
	{ "TB", 1L << 40 },
	{ NULL, 0 },
};

static const struct unit units_counts[] = {
	{ NULL, 0 },
};

static const struct {
	const struct unit *units;
	const char *name;
	const char *names;
	long size;
} units_bases[] = {
	[UNITS_NONE] = { units_counts, NULL, NULL, 1 },
	[UNITS_MILLISECONDS] = { units_times, "ms", "ms, s, min, h or d", 1 },
	[UNITS_SECONDS] = { units_times, "s", "ms, s, min, h or d", 1000 },
	[UNITS_BYTES] = { units_sizes, "B", "B, kB, MB, GB or TB", 1 },
};

bool
units_read(enum units_base base, const char *text, long *value)
{
	const struct unit *unit = units_bases[base].units;
	char *end = NULL;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (end == text || errno != 0)
		return (false);
	if (*end == '\0') {
		*value = number;
		return (true);
	}
	while (isspace((unsigned char)*end))
		end++;
	while (unit->name != NULL && strcmp(unit->name, end) != 0)
		unit++;
	if (unit->name == NULL ||
	    __builtin_mul_overflow(number, unit->size, &number) ||
	    number % units_bases[base].size != 0)
		return (false);
	*value = number / units_bases[base].size;
	return (true);
}

void
units_write(enum units_base base, long value, char text[UNITS_TEXT_SIZE])
{
	const struct unit *unit, *largest = NULL;

	for (unit = units_bases[base].units; unit->name != NULL; unit++) {
		if (value != 0 && unit->size >= units_bases[base].size &&
		    value % (unit->size / units_bases[base].size) == 0)
			largest = unit;
	}
	if (largest == NULL)
		snprintf(text, UNITS_TEXT_SIZE, "%ld", value);
	else
		snprintf(text, UNITS_TEXT_SIZE, "%ld%s",
		    value / (largest->size / units_bases[base].size),
		    largest->name);
}

const char *
units_names(enum units_base base)
{
	return (units_bases[base].names);
}

const char *
units_name(enum units_base base)
{
	return (units_bases[base].name);
}
