/*
 * Percent-encoding of RFC 3986, as paths and queries have it.
 */
#ifndef COFFER_PERCENT_H
#define COFFER_PERCENT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Decodes percent escapes of a text of *size bytes, and '+' as a blank if plus.
 * An escape that is incomplete stands for itself.  Gives the decoded bytes and
 * a NUL, to be given to memory_free, and their number without it in *size.
 */
char *percent_decode(const char *text, size_t *size, bool plus);

#endif
