#include <endian.h>
#include <string.h>

#include "base/memory.h"
#include "db/pgarray.h"

/* Dimensions, whether there are nulls, type, elements, first subscript. */
#define ARRAY_HEADER 20
#define ARRAY_COUNT 12 /* where the number of elements stands */
#define ARRAY_LENGTH 4 /* before each element */
#define ARRAY_ROOM 256 /* bytes, at first, for elements of any size */

static void
array_put(unsigned char *out, uint32_t value)
{
	value = htobe32(value);
	memcpy(out, &value, sizeof(value));
}

static void
array_header(struct pgarray *array, Oid type)
{
	array->bytes = memory_new(array->room);
	array_put(array->bytes, 1);
	array_put(array->bytes + 8, type);
	array_put(array->bytes + ARRAY_COUNT, (uint32_t)array->count);
	array_put(array->bytes + 16, 1);
}

void
pgarray_new(struct pgarray *array, Oid type, size_t count, size_t element)
{
	array->count = count;
	array->element = element;
	array->size = ARRAY_HEADER + count * (ARRAY_LENGTH + element);
	array->room = array->size;
	array_header(array, type);
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
pgarray_begin(struct pgarray *array, Oid type)
{
	array->count = 0;
	array->element = 0;
	array->size = ARRAY_HEADER;
	array->room = ARRAY_ROOM;
	array_header(array, type);
}

/* Not realloc: it would leave the old block as it is when it moves. */
static void
array_grow(struct pgarray *array, size_t size)
{
	unsigned char *larger;

	if (array->room - array->size >= size)
		return;
	array->room = array->room * 2 + size;
	larger = memory_new(array->room);
	memcpy(larger, array->bytes, array->size);
	memory_wipe_free(array->bytes, array->size);
	array->bytes = larger;
}

void
pgarray_add(struct pgarray *array, const void *value, size_t size)
{
	unsigned char *out;

	array_grow(array, ARRAY_LENGTH + size);
	out = array->bytes + array->size;
	array_put(out, (uint32_t)size);
	memcpy(out + ARRAY_LENGTH, value, size);
	array->size += ARRAY_LENGTH + size;
	array->count++;
	array_put(array->bytes + ARRAY_COUNT, (uint32_t)array->count);
}

void
pgarray_cut(struct pgarray *array, size_t count)
{
	const size_t size =
	    ARRAY_HEADER + count * (ARRAY_LENGTH + array->element);

	memory_wipe(array->bytes + size, array->size - size);
	array->count = count;
	array->size = size;
	array_put(array->bytes + ARRAY_COUNT, (uint32_t)count);
}

struct session_parameter
pgarray_parameter(const struct pgarray *array)
{
	return ((struct session_parameter){ .value = array->bytes,
	    .size = array->size,
	    .binary = true,
	    .secret = true });
}

void
pgarray_free(struct pgarray *array)
{
	if (array->bytes != NULL)
		memory_wipe_free(array->bytes, array->size);
	array->bytes = NULL;
}
