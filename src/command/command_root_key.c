#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/command_root_key.h"
#include "keys/root_key.h"

#define ROOT_KEY_LIST_SQL                                \
	"SELECT id, state, first_seen_at::text, "        \
	"coalesce(activated_at::text, '-'), "            \
	"coalesce(retired_at::text, '-'), wraps::text, " \
	"instances::text, instances_without::text FROM operator.root_key ORDER BY first_seen_at, id"
#define ROOT_KEY_ACTIVATE_SQL "SELECT operator.root_key_activate($1::text)"
#define ROOT_KEY_RETIRE_SQL "SELECT operator.root_key_retire($1::text)"

static const struct columns root_key_list_columns = { 0, COLUMNS_ANY, 8,
	{ { .type = COLUMN_TEXT }, { .type = COLUMN_TEXT },
	    { .type = COLUMN_TEXT }, { .type = COLUMN_TEXT },
	    { .type = COLUMN_TEXT }, { .type = COLUMN_TEXT },
	    { .type = COLUMN_TEXT }, { .type = COLUMN_TEXT } } };
static const struct columns root_key_done_columns = { 1, 1, 1,
	{ { .type = COLUMN_VOID } } };

int
command_root_key_generate(struct command_run *run)
{
	const char *path = run->operands[0];
	char id[ROOT_KEY_ID_SIZE], cause[256] = "";

	if (!root_key_generate(path, id, cause, sizeof(cause))) {
		fprintf(
		    stderr, "coffer: unable to write %s: %s\n", path, cause);
		return (1);
	}
	printf("%s\n", id);
	fprintf(stderr,
	    "HINT: without a copy of this file in a safe place, no backup of "
	    "the database can be read\n");
	return (0);
}

/* One statement as the operator, and a line for each row that it gives. */
static int
command_root_key_ask(
    const struct settings *settings, const char *sql, const char *id)
{
	PGconn *connection =
	    command_connect("dsn_operator", settings->dsn_operator);
	PGresult *result = NULL;
	int row, column;

	if (connection != NULL)
		result = command_query(connection, sql, id != NULL ? 1 : 0, &id,
		    NULL, NULL,
		    id != NULL ? &root_key_done_columns
			       : &root_key_list_columns);
	if (result != NULL && id == NULL)
		printf("id\tstate\tfirst seen\tactivated\tretired\twraps\t"
		       "instances\twithout it\n");
	for (row = 0; id == NULL && row < columns_rows(result); row++) {
		for (column = 0; column < root_key_list_columns.count; column++)
			printf("%s%s", column > 0 ? "\t" : "",
			    columns_text(result, row, column));
		printf("\n");
	}
	PQclear(result);
	PQfinish(connection);
	return (result != NULL ? 0 : 1);
}

int
command_root_key_list(struct command_run *run)
{
	return (command_root_key_ask(run->settings, ROOT_KEY_LIST_SQL, NULL));
}

int
command_root_key_activate(struct command_run *run)
{
	return (command_root_key_ask(
	    run->settings, ROOT_KEY_ACTIVATE_SQL, run->operands[0]));
}

int
command_root_key_retire(struct command_run *run)
{
	return (command_root_key_ask(
	    run->settings, ROOT_KEY_RETIRE_SQL, run->operands[0]));
}
