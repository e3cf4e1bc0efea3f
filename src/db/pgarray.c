#include <endian.h>
#include <string.h>

#include "base/memory.h"
#include "db/pgarray.h"

/* Dimensions, whether there are nulls, type, elements, first subscript. */
#define ARRAY_HEADER 20
#define ARRAY_COUNT 12 /* where the number of elements stands */
#define ARRAY_LENGTH 4 /* before each element */

static void
array_put(unsigned char *out, uint32_t value)
{
	value = htobe32(value);
	memcpy(out, &value, sizeof(value));
}

static size_t
array_size(const struct pgarray *array)
{
	return (ARRAY_HEADER + array->count * (ARRAY_LENGTH + array->element));
}

void
pgarray_new(struct pgarray *array, Oid type, size_t count, size_t element)
{
	array->count = count;
	array->element = element;
	array->bytes = memory_new(array_size(array));
	array_put(array->bytes, 1);
	array_put(array->bytes + 8, type);
	array_put(array->bytes + ARRAY_COUNT, (uint32_t)count);
	array_put(array->bytes + 16, 1);
}

void
pgarray_set(struct pgarray *array, size_t place, const void *value)
{
	unsigned char *out = array->bytes + ARRAY_HEADER +
	    place * (ARRAY_LENGTH + array->element);

	array_put(out, (uint32_t)array->element);
	memcpy(out + ARRAY_LENGTH, value, array->element);
}

void
pgarray_cut(struct pgarray *array, size_t count)
{
	unsigned char *end;

	end = array->bytes + array_size(array);
	array->count = count;
	memory_wipe(array->bytes + array_size(array),
	    (size_t)(end - array->bytes) - array_size(array));
	array_put(array->bytes + ARRAY_COUNT, (uint32_t)count);
}

struct session_parameter
pgarray_parameter(const struct pgarray *array)
{
	return ((struct session_parameter){ .value = array->bytes,
	    .size = array_size(array),
	    .binary = true,
	    .secret = true });
}

void
pgarray_free(struct pgarray *array)
{
	if (array->bytes != NULL)
		memory_wipe_free(array->bytes, array_size(array));
	array->bytes = NULL;
}
