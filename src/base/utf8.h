/*
 * Text as clients send it: UTF-8, names, UUIDs.
 */
#ifndef COFFER_UTF8_H
#define COFFER_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#define UTF8_UUID_SIZE 37 /* 36 characters and the NUL */

/*
 * The length of the UTF-8 character that text begins with, at most size; 0
 * when there is none: overlong, a surrogate, above U+10FFFF, cut off.
 */
size_t utf8_character(const char *text, size_t size);

/* Whether all of it is UTF-8 without a NUL, as PostgreSQL demands. */
bool utf8_is_clean(const char *text, size_t size);

/*
 * Copies what fits of source into destination, which gets a NUL: whole
 * characters only, and '?' for each byte that is no UTF-8 or a control.
 */
void utf8_clean(char *destination, size_t size, const char *source);

/* Whether text begins a name fit to be repeated in an error: [a-z0-9_]. */
bool utf8_is_name(const char *text, size_t size);

/* Whether text is a UUID of 36 characters and nothing else. */
bool utf8_is_uuid(const char *text);

/* Lower case, ASCII only, in place. */
void utf8_lower(char *text);

#endif
