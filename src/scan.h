/*
 * Looks JSON over for what a parser may let pass and PostgreSQL would not.
 */
#ifndef COFFER_SCAN_H
#define COFFER_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#define SCAN_DEPTH_MAX 32

/*
 * False for nesting deeper than SCAN_DEPTH_MAX, a control character or an
 * escaped NUL in a string, half of a surrogate pair, a number that is no
 * finite double or is written at undue length, and any byte that JSON has no
 * use for outside strings.  The grammar is the parser's to check.
 */
bool scan_is_sound(const char *text, size_t size);

#endif
