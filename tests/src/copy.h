/*
 * For tests of what reads COPY in its binary format: a file of it.
 */
#ifndef COFFER_TEST_COPY_H
#define COFFER_TEST_COPY_H

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "../../src/copy.h"
#include "test.h"

static inline void
copy_write(FILE *file, const void *bytes, size_t size)
{
	assert_int_equal(fwrite(bytes, 1, size, file), size);
}

static inline void
copy_write_16(FILE *file, uint16_t number)
{
	number = htobe16(number);
	copy_write(file, &number, sizeof(number));
}

static inline void
copy_write_32(FILE *file, uint32_t number)
{
	number = htobe32(number);
	copy_write(file, &number, sizeof(number));
}

/* The head, with an extension of so many bytes, which readers skip. */
static inline void
copy_write_head(FILE *file, uint32_t extension)
{
	copy_write(file, "PGCOPY\n\377\r\n\0", 11);
	copy_write_32(file, 0);
	copy_write_32(file, extension);
	while (extension-- > 0)
		copy_write(file, "x", 1);
}

/* A field; bytes NULL is null. */
static inline void
copy_write_field(FILE *file, const void *bytes, uint32_t size)
{
	copy_write_32(file, bytes == NULL ? UINT32_MAX : size);
	if (bytes != NULL)
		copy_write(file, bytes, size);
}

static inline void
copy_write_end(FILE *file)
{
	copy_write_16(file, UINT16_MAX);
}

#endif
