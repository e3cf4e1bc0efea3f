#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/bigendian.h"
#include "base/memory.h"
#include "db/columns.h"

/* A value in binary; NULL: there is none, or it is of another type. */
static const char *
columns_value(const PGresult *result, int row, int column,
    enum column_type type, size_t *size)
{
	if (row < 0 || row >= PQntuples(result) || column < 0 ||
	    column >= PQnfields(result) || PQfformat(result, column) != 1 ||
	    PQftype(result, column) != (Oid)type ||
	    PQgetisnull(result, row, column))
		return (NULL);
	*size = (size_t)PQgetlength(result, row, column);
	return (PQgetvalue(result, row, column));
}

static int
columns_least(const struct column *column)
{
	switch (column->type) {
	case COLUMN_BOOL:
		return (sizeof(uint8_t));
	case COLUMN_INT2:
		return (sizeof(int16_t));
	case COLUMN_INT4:
		return (sizeof(int32_t));
	case COLUMN_INT8:
		return (sizeof(int64_t));
	case COLUMN_UUID:
		return (sizeof(uuid_t));
	default:
		return (column->least);
	}
}

static int
columns_most(const struct column *column)
{
	switch (column->type) {
	case COLUMN_BYTEA:
	case COLUMN_TEXT:
		return (column->most == 0 ? INT_MAX : column->most);
	default:
		return (columns_least(column));
	}
}

static bool
columns_value_fits(
    const PGresult *result, int row, int place, const struct column *column)
{
	const int size = PQgetlength(result, row, place);

	if (PQgetisnull(result, row, place))
		return (column->null);
	if (size < columns_least(column) || size > columns_most(column))
		return (false);
	/* What is read as a string must be all of the value. */
	return (column->type != COLUMN_TEXT ||
	    memchr(PQgetvalue(result, row, place), '\0', (size_t)size) == NULL);
}

bool
columns_fit(const PGresult *result, const struct columns *columns,
    char fault[COLUMNS_FAULT_SIZE])
{
	int row, i;

	fault[0] = '\0';
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		snprintf(fault, COLUMNS_FAULT_SIZE, "it has no rows at all");
	else if (PQnfields(result) != columns->count)
		snprintf(fault, COLUMNS_FAULT_SIZE, "%d columns, and not %d",
		    PQnfields(result), columns->count);
	else if (PQntuples(result) < columns->rows_least ||
	    PQntuples(result) > columns->rows_most)
		snprintf(
		    fault, COLUMNS_FAULT_SIZE, "%d rows", PQntuples(result));
	for (i = 0; fault[0] == '\0' && i < columns->count; i++) {
		if (PQftype(result, i) != (Oid)columns->column[i].type ||
		    PQfformat(result, i) != 1)
			snprintf(fault, COLUMNS_FAULT_SIZE,
			    "column %d is of type %u, format %d", i + 1,
			    PQftype(result, i), PQfformat(result, i));
	}
	for (row = 0; fault[0] == '\0' && row < PQntuples(result); row++) {
		for (i = 0; fault[0] == '\0' && i < columns->count; i++) {
			if (!columns_value_fits(
				result, row, i, &columns->column[i]))
				snprintf(fault, COLUMNS_FAULT_SIZE,
				    "column %d of row %d has %d bytes%s", i + 1,
				    row + 1, PQgetlength(result, row, i),
				    PQgetisnull(result, row, i) ? ", is NULL"
								: "");
		}
	}
	return (fault[0] == '\0');
}

int
columns_rows(const PGresult *result)
{
	return (PQntuples(result));
}

bool
columns_is_null(const PGresult *result, int row, int column)
{
	return (row < 0 || row >= PQntuples(result) || column < 0 ||
	    column >= PQnfields(result) || PQgetisnull(result, row, column));
}

int64_t
columns_number(const PGresult *result, int row, int column)
{
	static const struct {
		enum column_type type;
		size_t size;
	} integers[] = {
		{ COLUMN_INT8, sizeof(int64_t) },
		{ COLUMN_INT4, sizeof(int32_t) },
		{ COLUMN_INT2, sizeof(int16_t) },
	};
	const char *value;
	size_t i, size;

	for (i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
		value =
		    columns_value(result, row, column, integers[i].type, &size);
		if (value != NULL && size == integers[i].size)
			return (bigendian_signed(value, size));
	}
	return (0);
}

bool
columns_flag(const PGresult *result, int row, int column)
{
	size_t size;
	const char *value =
	    columns_value(result, row, column, COLUMN_BOOL, &size);

	return (value != NULL && size == 1 && *value != 0);
}

/* libpq puts a NUL behind each value. */
const char *
columns_text(const PGresult *result, int row, int column)
{
	size_t size;
	const char *value =
	    columns_value(result, row, column, COLUMN_TEXT, &size);

	return (value != NULL ? value : "");
}

const unsigned char *
columns_uuid(const PGresult *result, int row, int column)
{
	static const uuid_t zeros;
	size_t size;
	const char *value =
	    columns_value(result, row, column, COLUMN_UUID, &size);

	return (value != NULL && size == sizeof(zeros)
		? (const unsigned char *)value
		: zeros);
}

const unsigned char *
columns_bytes(const PGresult *result, int row, int column, size_t *size)
{
	const char *value =
	    columns_value(result, row, column, COLUMN_BYTEA, size);

	if (value == NULL)
		value = columns_value(result, row, column, COLUMN_TEXT, size);
	if (value == NULL) {
		*size = 0;
		value = "";
	}
	return ((const unsigned char *)value);
}

bool
columns_copy(
    const PGresult *result, int row, int column, void *out, size_t size)
{
	size_t found;
	const unsigned char *bytes = columns_bytes(result, row, column, &found);

	if (found != size)
		return (false);
	memcpy(out, bytes, size);
	return (true);
}

struct json_object *
columns_json(const char *text, enum json_type type)
{
	struct json_object *value = json_tokener_parse(text);

	if (json_object_is_type(value, type))
		return (value);
	json_object_put(value);
	return (NULL);
}

/* The buffers where it came through are for session_clean. */
void
columns_clear(PGresult *result)
{
	int row, column;

	for (row = 0; row < PQntuples(result); row++) {
		for (column = 0; column < PQnfields(result); column++)
			memory_wipe(PQgetvalue(result, row, column),
			    (size_t)PQgetlength(result, row, column));
	}
	PQclear(result);
}
