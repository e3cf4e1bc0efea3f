/*
 * One-dimensional arrays as PostgreSQL takes them in binary, of elements that
 * all have one size: for keys, which may not become text on their way.
 */
#ifndef COFFER_ARRAY_H
#define COFFER_ARRAY_H

#include <libpq-fe.h>
#include <stddef.h>

#include "session.h"

struct array {
	unsigned char *bytes;
	size_t count;
	size_t element;
};

/* Room for count elements of that size, of the type with that OID. */
void array_new(struct array *array, Oid type, size_t count, size_t element);

/* Sets the element at place, from 0. */
void array_set(struct array *array, size_t place, const void *value);

/* Cuts it down to its first count elements. */
void array_cut(struct array *array, size_t count);

/* The parameter of a statement that it is, secret; valid until array_free. */
struct session_parameter array_parameter(const struct array *array);

/* Wipes what it holds; it may be used again, or never have been. */
void array_free(struct array *array);

#endif
