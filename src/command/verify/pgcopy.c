#include <stdio.h>
#include <string.h>

#include "base/bigendian.h"
#include "base/memory.h"
#include "command/verify/pgcopy.h"

#define PGCOPY_SIGNATURE "PGCOPY\n\377\r\n\0"
#define PGCOPY_SIGNATURE_SIZE 11
#define PGCOPY_ROW_MAX 16777216 /* a row that is larger is none of ours */

struct pgcopy {
	FILE *file;
	PGconn *connection;
	/* What the connection gave last, and what of it is left. */
	char *chunk;
	size_t size, used;
	/* One row. */
	unsigned char *row;
	size_t room;
	bool begun, ended, failed;
};

static struct pgcopy *
pgcopy_new(FILE *file, PGconn *connection)
{
	struct pgcopy *copy = memory_new(sizeof(*copy));

	copy->file = file;
	copy->connection = connection;
	copy->room = 65536;
	copy->row = memory_new(copy->room);
	return (copy);
}

struct pgcopy *
pgcopy_open(const char *path)
{
	FILE *file = fopen(path, "re");

	return (file != NULL ? pgcopy_new(file, NULL) : NULL);
}

struct pgcopy *
pgcopy_query(PGconn *connection, const char *sql)
{
	PGresult *result = PQexec(connection, sql);
	bool begun = PQresultStatus(result) == PGRES_COPY_OUT;

	PQclear(result);
	return (begun ? pgcopy_new(NULL, connection) : NULL);
}

/*
 * What is left is read, so that the connection can be used again.  A server
 * that begins another COPY instead would be asked without end.
 */
static void
pgcopy_drain(struct pgcopy *copy)
{
	bool over = false;
	PGresult *result;

	do {
		PQfreemem(copy->chunk);
		copy->chunk = NULL;
	} while (PQgetCopyData(copy->connection, &copy->chunk, 0) > 0);
	while (!over && (result = PQgetResult(copy->connection)) != NULL) {
		over = PQresultStatus(result) == PGRES_COPY_OUT ||
		    PQresultStatus(result) == PGRES_COPY_IN ||
		    PQresultStatus(result) == PGRES_COPY_BOTH;
		PQclear(result);
	}
}

void
pgcopy_free(struct pgcopy *copy)
{
	if (copy == NULL)
		return;
	if (copy->file != NULL)
		fclose(copy->file);
	else
		pgcopy_drain(copy);
	memory_free(copy->row);
	memory_free(copy);
}

/* The next bytes, all of them or none. */
static bool
pgcopy_read(struct pgcopy *copy, void *out, size_t size)
{
	unsigned char *to = out;
	size_t part;
	int length;

	if (copy->file != NULL)
		return (fread(to, 1, size, copy->file) == size);
	while (size > 0) {
		if (copy->used == copy->size) {
			PQfreemem(copy->chunk);
			copy->chunk = NULL;
			copy->used = copy->size = 0;
			length =
			    PQgetCopyData(copy->connection, &copy->chunk, 0);
			if (length <= 0)
				return (false);
			copy->size = (size_t)length;
		}
		part = copy->size - copy->used;
		if (part > size)
			part = size;
		memcpy(to, copy->chunk + copy->used, part);
		copy->used += part;
		to += part;
		size -= part;
	}
	return (true);
}

static bool
pgcopy_fail(struct pgcopy *copy)
{
	copy->failed = true;
	return (false);
}

static bool
pgcopy_begin(struct pgcopy *copy)
{
	char signature[PGCOPY_SIGNATURE_SIZE];
	unsigned char words[2 * sizeof(uint32_t)];
	uint32_t skip;

	copy->begun = true;
	if (!pgcopy_read(copy, signature, sizeof(signature)) ||
	    memcmp(signature, PGCOPY_SIGNATURE, sizeof(signature)) != 0 ||
	    !pgcopy_read(copy, words, sizeof(words)))
		return (pgcopy_fail(copy));
	for (skip = bigendian_32(words + sizeof(uint32_t)); skip > 0; skip--) {
		if (!pgcopy_read(copy, signature, 1))
			return (pgcopy_fail(copy));
	}
	return (true);
}

/* Room is made before; fields point into the row once it is all there. */
static bool
pgcopy_field_read(struct pgcopy *copy, size_t *used, uint32_t *size, bool *null)
{
	unsigned char *larger;
	size_t room = copy->room;

	if (!pgcopy_read(copy, size, sizeof(*size)))
		return (false);
	*size = bigendian_32(size);
	*null = *size == UINT32_MAX;
	if (*null)
		*size = 0;
	if (*size > PGCOPY_ROW_MAX || *used + *size > PGCOPY_ROW_MAX)
		return (false);
	while (*used + *size > room)
		room *= 2;
	if (room > copy->room) {
		larger = memory_new(room);
		memcpy(larger, copy->row, *used);
		memory_free(copy->row);
		copy->row = larger;
		copy->room = room;
	}
	return (pgcopy_read(copy, copy->row + *used, *size));
}

bool
pgcopy_next(struct pgcopy *copy, struct pgcopy_field *fields, uint16_t count)
{
	size_t offsets[PGCOPY_FIELDS_MAX], used = 0;
	bool nulls[PGCOPY_FIELDS_MAX];
	uint16_t given, i;

	if (copy->failed || copy->ended ||
	    (!copy->begun && !pgcopy_begin(copy)))
		return (false);
	if (!pgcopy_read(copy, &given, sizeof(given)))
		return (pgcopy_fail(copy));
	given = bigendian_16(&given);
	if (given == UINT16_MAX) {
		copy->ended = true;
		return (false);
	}
	if (given < count || given > PGCOPY_FIELDS_MAX)
		return (pgcopy_fail(copy));
	for (i = 0; i < given; i++) {
		uint32_t size;

		if (!pgcopy_field_read(copy, &used, &size, &nulls[i]))
			return (pgcopy_fail(copy));
		offsets[i] = used;
		used += size;
		if (i < count)
			fields[i].size = size;
	}
	for (i = 0; i < count; i++)
		fields[i].bytes = nulls[i] ? NULL : copy->row + offsets[i];
	return (true);
}

bool
pgcopy_failed(const struct pgcopy *copy)
{
	return (copy->failed);
}

int64_t
pgcopy_number(const struct pgcopy_field *field)
{
	if (field->bytes == NULL)
		return (0);
	return (bigendian_signed(field->bytes, field->size));
}
