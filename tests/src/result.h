/*
 * Results of PostgreSQL, made by hand: one column for each value, in binary.
 */
#ifndef COFFER_RESULT_H
#define COFFER_RESULT_H

#include <libpq-fe.h>
#include <string.h>

#include "db/columns.h"
#include "tests/src/test.h"

/* A result of these columns without rows; to be given to PQclear. */
static PGresult *
result_new(const struct columns *columns)
{
	static char name[] = "column";
	PGresAttDesc attributes[COLUMNS_MAX];
	PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	int i;

	memset(attributes, 0, sizeof(attributes));
	for (i = 0; i < columns->count; i++) {
		attributes[i].name = name;
		attributes[i].typid = (Oid)columns->column[i].type;
		attributes[i].format = 1;
	}
	assert_int_equal(
	    PQsetResultAttrs(result, columns->count, attributes), 1);
	return (result);
}

static void
result_set(
    PGresult *result, int row, int column, const void *bytes, size_t size)
{
	char value[256];

	assert_in_range(size, 0, sizeof(value));
	memcpy(value, bytes, size);
	assert_int_equal(PQsetvalue(result, row, column, value, (int)size), 1);
}

#endif
