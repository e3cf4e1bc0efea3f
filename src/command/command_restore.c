#include <json-c/json.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "base/memory.h"
#include "call/member.h"
#include "command/backup.h"
#include "command/command.h"
#include "command/command_restore.h"
#include "db/statements.h"
#include "db/wrapped.h"
#include "keys/keyring.h"

/* For a KEK, for the wrap key, for one that was replaced meanwhile. */
#define RESTORE_ROUNDS 5

#define RESTORE_SQL                                             \
	"SELECT operator.secret_restore($1::jsonb, $2::bytea, " \
	"$3::bytea[], $4::text, $5::boolean)::text"
#define RESTORE_KEK_KEEP_SQL                    \
	"SELECT kek_id, root_id, wrapped FROM " \
	"daemon.kek_keep($1::uuid, $2::uuid, $3::text, $4::bytea)"

#define RESTORE_PEPPER_SQL "SELECT root_id, wrapped FROM daemon.pepper_get()"

static const struct columns restore_pepper_columns = { 0, 1, 2,
	{ { .type = COLUMN_TEXT }, { .type = COLUMN_BYTEA } } };
static const struct columns restore_columns = { 1, 1, 1,
	{ { .type = COLUMN_TEXT } } };
static const struct columns restore_kek_columns = { 0, 1, 3,
	{ { .type = COLUMN_UUID }, { .type = COLUMN_TEXT },
	    { .type = COLUMN_BYTEA } } };

struct restore {
	PGconn *connection;
	struct keyring *keyring;
	const char *reason;
	bool older;
	/* Of the secret that is being restored. */
	struct backup_secret secret;
	struct json_object *document;
	bool keyed; /* the wrap key is known */
	unsigned char *wrap_key; /* in locked memory */
};

static bool
restore_read_options(struct restore *restore, struct command_run *run)
{
	struct command_value option;

	while (command_option_next(run, &option) == COMMAND_OPTION) {
		if (strcmp(option.name, "reason") == 0)
			restore->reason = option.value;
		else
			restore->older = true;
	}
	return (restore->reason != NULL);
}

static bool
restore_execute(struct restore *restore, const char *sql)
{
	PGresult *result =
	    command_query(restore->connection, sql, 0, NULL, NULL, NULL, NULL);

	PQclear(result);
	return (result != NULL);
}

static bool
restore_refuse(const char *what)
{
	fprintf(stderr, "coffer: %s\n", what);
	return (false);
}

/* Tells the function what the key is of, or that there is none. */
static void
restore_describe(
    struct restore *restore, struct json_object *challenge, bool known)
{
	struct json_object *key = json_object_new_object();
	static const char *const names[] = { "secret_id", "kek_id" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		json_object_object_add(key, names[i],
		    json_object_new_string(member_text(challenge, names[i])));
	if (!known)
		json_object_object_add(
		    key, "opened", json_object_new_boolean(false));
	json_object_object_add(restore->document, "key", key);
	restore->keyed = known;
}

static bool
restore_unwrap(struct restore *restore, struct json_object *challenge)
{
	struct keyring_wrapped wrapped;
	struct keyring_place place;
	uuid_t secret;

	if (!member_uuid(challenge, "secret_id", secret) ||
	    !member_uuid(challenge, "project_id", place.project) ||
	    !member_uuid(challenge, "kek_id", place.kek))
		return (restore_refuse("the challenge is malformed"));
	member_rotation(challenge, challenge, &place);
	member_wrapped(challenge, &wrapped);
	restore_describe(restore, challenge,
	    keyring_kek_load(restore->keyring, &place, &wrapped) &&
		keyring_wrap_key(restore->keyring, place.kek, place.project,
		    secret, restore->wrap_key));
	return (true);
}

/* The project has no KEK yet; a daemon that has made one first is asked. */
static bool
restore_make_kek(struct restore *restore, struct json_object *challenge)
{
	struct keyring_place place = { .rotation = 0 };
	struct keyring_wrapped wrapped;
	char project[UUID_STR_LEN], kek[UUID_STR_LEN];
	const char *values[] = { project, kek, wrapped.root_id,
		(char *)wrapped.bytes };
	const int sizes[] = { 0, 0, 0, sizeof(wrapped.bytes) };
	const int formats[] = { 0, 0, 0, 1 };
	PGresult *result;

	if (!member_uuid(challenge, "project_id", place.project))
		return (restore_refuse("the challenge is malformed"));
	if (!keyring_activate(
		restore->keyring, member_text(challenge, "active_root_id")))
		return (restore_refuse("the active root key is not loaded"));
	keyring_kek_make(restore->keyring, &place, &wrapped);
	uuid_unparse_lower(place.project, project);
	uuid_unparse_lower(place.kek, kek);
	result = command_query(restore->connection, RESTORE_KEK_KEEP_SQL, 4,
	    values, sizes, formats, &restore_kek_columns);
	PQclear(result);
	return (result != NULL);
}

static bool
restore_answer(struct restore *restore, struct json_object *challenge)
{
	const char *need = member_text(challenge, "need");

	if (strcmp(need, "key") == 0)
		return (restore_unwrap(restore, challenge));
	if (strcmp(need, "kek") == 0)
		return (restore_make_kek(restore, challenge));
	if (strcmp(need, "alone") == 0)
		return (true);
	return (restore_refuse("the challenge is unknown"));
}

/*
 * One call.  The payloads go only with the key, after the function has found
 * the session and the database fit.  NULL: it has failed.
 */
static struct json_object *
restore_call(struct restore *restore)
{
	const struct session_parameter data =
	    pgarray_parameter(&restore->secret.data);
	const char *values[] = { json_object_to_json_string_ext(
				     restore->document, JSON_C_TO_STRING_PLAIN),
		restore->keyed ? (const char *)restore->wrap_key : NULL,
		restore->keyed ? (const char *)data.value : NULL,
		restore->reason, restore->older ? "true" : "false" };
	const int sizes[] = { 0, KEYRING_WRAP_KEY_SIZE, (int)data.size, 0, 0 };
	const int formats[] = { 0, 1, 1, 0, 0 };
	PGresult *result = command_query(restore->connection, RESTORE_SQL, 5,
	    values, sizes, formats, &restore_columns);
	struct json_object *answer = NULL;

	if (result == NULL)
		return (NULL);
	answer = columns_json(columns_text(result, 0, 0), json_type_object);
	if (answer == NULL)
		(void)restore_refuse("the answer of the database is malformed");
	columns_clear(result);
	return (answer);
}

/* Calls until there is no challenge; NULL: it has failed, which was said. */
static struct json_object *
restore_rounds(struct restore *restore)
{
	struct json_object *answer;
	int round;

	for (round = 0; round < RESTORE_ROUNDS; round++) {
		answer = restore_call(restore);
		if (answer == NULL ||
		    !json_object_object_get_ex(answer, "need", NULL))
			return (answer);
		if (!restore_answer(restore, answer)) {
			json_object_put(answer);
			return (NULL);
		}
		json_object_put(answer);
	}
	(void)restore_refuse("the key is replaced again and again: try again");
	return (NULL);
}

static void
restore_print_list(FILE *file, struct json_object *list)
{
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++)
		fprintf(file, "%s%d", i > 0 ? ", " : "",
		    json_object_get_int(json_object_array_get_idx(list, i)));
}

static void
restore_print(struct json_object *answer)
{
	const char *path = member_text(answer, "path");
	const char *id = member_text(answer, "secret_id");
	struct json_object *list;

	printf("restored %s, %s%s%s, revisions: ", id, path,
	    strcmp(path, "/") == 0 ? "" : "/", member_text(answer, "name"));
	if (json_object_object_get_ex(answer, "revisions", &list))
		restore_print_list(stdout, list);
	puts("");
	if (!json_object_object_get_ex(answer, "expired", &list) ||
	    json_object_array_length(list) == 0)
		return;
	fprintf(
	    stderr, "coffer: left out of %s, expired since the backup: ", id);
	restore_print_list(stderr, list);
	fputc('\n', stderr);
}

/* One secret, whole or not at all. */
static bool
restore_secret(struct restore *restore)
{
	struct json_object *answer = NULL;
	bool restored = false;

	restore->keyed = false;
	restore->document = json_object_new_object();
	json_object_object_add(restore->document, "versions",
	    json_object_get(restore->secret.versions));
	if (restore_execute(restore, "BEGIN") &&
	    restore_execute(restore, STATEMENT_DEPLOY_SQL))
		answer = restore_rounds(restore);
	if (answer == NULL) {
		PQclear(PQexec(restore->connection, "ROLLBACK"));
	} else if (restore_execute(restore, "COMMIT")) {
		restore_print(answer);
		restored = true;
	} else {
		fprintf(stderr,
		    "coffer: whether %s was restored is unknown: its commit "
		    "failed\n",
		    member_text(answer, "secret_id"));
	}
	json_object_put(answer);
	json_object_put(restore->document);
	return (restored);
}

/* It says whether KEKs may still be wrapped as earlier releases did. */
static bool
restore_load_pepper(struct restore *restore)
{
	PGresult *result = command_query(restore->connection,
	    RESTORE_PEPPER_SQL, 0, NULL, NULL, NULL, &restore_pepper_columns);
	struct keyring_wrapped wrapped;
	bool loaded = result != NULL;

	if (loaded && columns_rows(result) > 0) {
		loaded = wrapped_read(result, 0, 0, &wrapped) &&
		    keyring_pepper_load(restore->keyring, &wrapped);
		if (!loaded)
			(void)restore_refuse(
			    "no loaded root key unwraps the pepper");
	}
	PQclear(result);
	return (loaded);
}

/* The secrets are restored one by one: a refusal of one does not end it. */
static int
restore_all(struct restore *restore)
{
	struct backup *backup = backup_new(STDIN_FILENO);
	enum backup_state state = BACKUP_SECRET;
	char fault[BACKUP_FAULT_SIZE];
	int count = 0, failed = 0;

	while (state == BACKUP_SECRET &&
	    PQstatus(restore->connection) == CONNECTION_OK) {
		state = backup_next(backup, &restore->secret, fault);
		if (state == BACKUP_SECRET) {
			count++;
			failed += !restore_secret(restore);
		} else if (state == BACKUP_FAULT) {
			failed++;
			fprintf(stderr,
			    "coffer: standard input is malformed: %s\n", fault);
		}
		backup_secret_free(&restore->secret);
	}
	backup_free(backup);
	if (count == 0 && failed == 0)
		fprintf(stderr, "coffer: standard input has no secret\n");
	return (count == 0 || failed > 0 || state != BACKUP_END);
}

static int
restore_run(const struct settings *settings, struct restore *restore)
{
	char cause[256] = "";
	int code = 1;

	restore->keyring = keyring_new(settings, cause, sizeof(cause));
	if (restore->keyring == NULL) {
		fprintf(stderr, "coffer: setting %s\n", cause);
		return (2);
	}
	restore->wrap_key = memory_new_locked(KEYRING_WRAP_KEY_SIZE);
	restore->connection =
	    command_connect("dsn_operator", settings->dsn_operator);
	if (restore->connection != NULL && restore_load_pepper(restore))
		code = restore_all(restore);
	PQfinish(restore->connection);
	memory_free_locked(restore->wrap_key, KEYRING_WRAP_KEY_SIZE);
	keyring_free(restore->keyring);
	return (code);
}

int
command_restore(struct command_run *run)
{
	struct restore restore = { .older = false };

	if (!restore_read_options(&restore, run))
		return (COMMAND_USAGE);
	if (isatty(STDIN_FILENO)) {
		fprintf(stderr,
		    "coffer: standard input is a terminal\n"
		    "HINT: pipe what `coffer recover` prints into it\n");
		return (2);
	}
	memory_hide();
	/* What libpq has sent is overwritten when it is freed. */
	memory_guard_libraries();
	return (restore_run(run->settings, &restore));
}
