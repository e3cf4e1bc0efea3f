/*
 * Finds the known name that a misspelt one is likely meant for.
 */
#ifndef COFFER_SPELLING_H
#define COFFER_SPELLING_H

#include <stddef.h>

struct spelling {
	const char *text;
	const char *nearest; /* NULL: no name is near */
	size_t distance; /* of nearest */
};

/* Keeps text, which must live as long. */
void spelling_begin(struct spelling *spelling, const char *text);

/*
 * Compares text with a name, without regard to case.  A name is near when at
 * most two characters differ, and fewer than half.
 */
void spelling_consider(struct spelling *spelling, const char *name);

#endif
