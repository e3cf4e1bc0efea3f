/*
 * For tests of what reads COPY in its binary format: a file of it.
 */
#ifndef COFFER_TEST_PGCOPY_WRITE_H
#define COFFER_TEST_PGCOPY_WRITE_H

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "command/verify/pgcopy.h"
#include "tests/src/test.h"

static inline void
pgcopy_write(FILE *file, const void *bytes, size_t size)
{
	assert_int_equal(fwrite(bytes, 1, size, file), size);
}

static inline void
pgcopy_write_16(FILE *file, uint16_t number)
{
	number = htobe16(number);
	pgcopy_write(file, &number, sizeof(number));
}

static inline void
pgcopy_write_32(FILE *file, uint32_t number)
{
	number = htobe32(number);
	pgcopy_write(file, &number, sizeof(number));
}

/* The head, with an extension of so many bytes, which readers skip. */
static inline void
pgcopy_write_head(FILE *file, uint32_t extension)
{
	pgcopy_write(file, "PGCOPY\n\377\r\n\0", 11);
	pgcopy_write_32(file, 0);
	pgcopy_write_32(file, extension);
	while (extension-- > 0)
		pgcopy_write(file, "x", 1);
}

/* A field; bytes NULL is null. */
static inline void
pgcopy_write_field(FILE *file, const void *bytes, uint32_t size)
{
	pgcopy_write_32(file, bytes == NULL ? UINT32_MAX : size);
	if (bytes != NULL)
		pgcopy_write(file, bytes, size);
}

static inline void
pgcopy_write_end(FILE *file)
{
	pgcopy_write_16(file, UINT16_MAX);
}

#endif
