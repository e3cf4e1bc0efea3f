/*
 * The only reader of what PostgreSQL gives.
 *
 * Nothing that a server sends is trusted.  A result is compared with the
 * columns that its statement must give before anybody reads it.  Each value
 * is read with its type and its length checked once more, so that no reader
 * can be made to look beyond it.
 */
#ifndef COFFER_COLUMNS_H
#define COFFER_COLUMNS_H

#include <json-c/json.h>
#include <libpq-fe.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COLUMNS_MAX 16
#define COLUMNS_FAULT_SIZE 96
#define COLUMNS_ANY INT_MAX /* as many rows or bytes as there are */

/* OIDs of PostgreSQL's pg_type, which never change; also those of parameters. */
enum column_type {
	COLUMN_BOOL = 16,
	COLUMN_BYTEA = 17,
	COLUMN_INT8 = 20,
	COLUMN_INT2 = 21,
	COLUMN_INT4 = 23,
	COLUMN_TEXT = 25,
	COLUMN_INET = 869,
	COLUMN_BYTEAS = 1001,
	COLUMN_TEXTS = 1009,
	COLUMN_TIMESTAMPTZ = 1184,
	COLUMN_VOID = 2278,
	COLUMN_UUID = 2950,
	COLUMN_UUIDS = 2951,
	COLUMN_JSONB = 3802,
};

struct column {
	enum column_type type;
	bool null; /* the value may be NULL */
	int least, most; /* bytes of a text or bytea; most 0: any number */
};

/* What a statement gives, in binary. */
struct columns {
	int rows_least, rows_most;
	int count;
	struct column column[COLUMNS_MAX];
};

/*
 * Compares a result with what it must be: its status, the number of its rows
 * and columns, and of each value its type, format, length and whether it is
 * NULL.  False: fault says in what it differs, without any of its content.
 */
bool columns_fit(const PGresult *result, const struct columns *columns,
    char fault[COLUMNS_FAULT_SIZE]) __attribute__((warn_unused_result));

/* The number of rows; of NULL, 0. */
int columns_rows(const PGresult *result);

/* True also where there is no such value. */
bool columns_is_null(const PGresult *result, int row, int column);

/* An int2, int4 or int8; 0 where there is none. */
int64_t columns_number(const PGresult *result, int row, int column);

/* A bool; false where there is none. */
bool columns_flag(const PGresult *result, int row, int column);

/* A text, which ends in a NUL and is the result's; "" where there is none. */
const char *columns_text(const PGresult *result, int row, int column);

/* The 16 bytes of a uuid, which are the result's; zeros where there is none. */
const unsigned char *columns_uuid(const PGresult *result, int row, int column);

/* A text or bytea and its bytes, the result's; "" and 0 where there is none. */
const unsigned char *
columns_bytes(const PGresult *result, int row, int column, size_t *size);

/* Copies a text or bytea of exactly size bytes; false: it has another length. */
bool columns_copy(const PGresult *result, int row, int column, void *out,
    size_t size) __attribute__((warn_unused_result));

/*
 * JSON that PostgreSQL gave as text, to be given to json_object_put; NULL: it
 * is no JSON, or is not of that type.
 */
struct json_object *columns_json(const char *text, enum json_type type)
    __attribute__((warn_unused_result));

/* Overwrites all values of a result, and clears it; accepts NULL. */
void columns_clear(PGresult *result);

#endif
