/*
 * Says what JSON is, as strictly as PostgreSQL; a parser may let more pass, or
 * less: json-c 0.18 refuses, when it is strict, all text that is not ASCII.
 */
#ifndef COFFER_JSON_STRICT_H
#define COFFER_JSON_STRICT_H

#include <stdbool.h>
#include <stddef.h>

#define JSON_STRICT_DEPTH_MAX 32

/*
 * Whether this is one value by the grammar of RFC 8259.  False too for nesting
 * deeper than JSON_STRICT_DEPTH_MAX, an escaped NUL in a string, half of a surrogate
 * pair, and a number that is no finite double or is written at undue length.
 */
bool json_strict_is_sound(const char *text, size_t size);

/* How many values and names of members sound text has, at the most. */
size_t json_strict_values(const char *text, size_t size);

#endif
