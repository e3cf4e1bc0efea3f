/*
 * One-dimensional arrays as PostgreSQL takes them in binary: for keys and
 * payloads, which may not become text on their way.
 */
#ifndef COFFER_PGARRAY_H
#define COFFER_PGARRAY_H

#include <libpq-fe.h>
#include <stddef.h>

#include "db/session.h"

struct pgarray {
	unsigned char *bytes;
	size_t count;
	size_t element; /* bytes of each; 0: they differ */
	size_t size; /* bytes of all that it has */
	size_t room;
};

/* Room for count elements of that size, of the type with that OID. */
void pgarray_new(struct pgarray *array, Oid type, size_t count, size_t element);

/* Sets the element at place, from 0. */
void pgarray_set(struct pgarray *array, size_t place, const void *value);

/* An array without elements, and one more for it, of any size. */
void pgarray_begin(struct pgarray *array, Oid type);
void pgarray_add(struct pgarray *array, const void *value, size_t size);

/* Cuts it down to its first count elements, which all have one size. */
void pgarray_cut(struct pgarray *array, size_t count);

/* The parameter of a statement that it is, secret; valid until pgarray_free. */
struct session_parameter pgarray_parameter(const struct pgarray *array);

/* Wipes what it holds; it may be used again, or never have been. */
void pgarray_free(struct pgarray *array);

#endif
