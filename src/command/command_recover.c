#include <json-c/json.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/base64.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "command/command.h"
#include "command/command_recover.h"
#include "db/wrapped.h"
#include "keys/envelope.h"
#include "keys/keyring.h"

/* Tables alone: functions may be missing, or of another release. */
#define RECOVER_BEGIN_SQL \
	"BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
/* Columns that a copy of an earlier release lacks are not named. */
#define RECOVER_ABOUT_SECRET_SQL                                            \
	"(to_jsonb(s) - '{id,path,name,organization_id,updated_at,"         \
	"time_to_live,expires_once_accessed,action}'::text[] || "           \
	"jsonb_build_object('ephemeral_policy', CASE WHEN s.action IS NOT " \
	"NULL THEN jsonb_build_object('time_to_live', "                     \
	"round(s.time_to_live / 1000000000.0, 9) || 's', "                  \
	"'expires_once_accessed', s.expires_once_accessed, 'action', "      \
	"s.action) END))::text"
#define RECOVER_ABOUT_VERSION_SQL                                \
	"(to_jsonb(v) - '{secret_id,revision,status,updated_at," \
	"deletion_requested_at,sealed}'::text[])::text"
#define RECOVER_SQL                                                            \
	"SELECT s.id, s.project_id, s.path, s.name, v.revision, v.status, "    \
	"v.sealed, d.wrapped, k.id, k.root_id, k.wrapped, k.key_id, "          \
	"k.rotation, " RECOVER_ABOUT_SECRET_SQL ", " RECOVER_ABOUT_VERSION_SQL \
	" "                                                                    \
	"FROM store.secret s JOIN store.version v ON v.secret_id = s.id "      \
	"LEFT JOIN store.dek d ON d.secret_id = s.id AND "                     \
	"d.revision = v.revision LEFT JOIN store.kek k ON k.id = d.kek_id "    \
	"WHERE (s.id = $1::uuid OR s.project_id = $2::uuid) "                  \
	"AND ($3::integer IS NULL OR v.revision = $3::integer) "               \
	"ORDER BY s.path, s.name, s.id, v.revision"

enum recover_column {
	RECOVER_SECRET,
	RECOVER_PROJECT,
	RECOVER_PATH,
	RECOVER_NAME,
	RECOVER_REVISION,
	RECOVER_STATUS,
	RECOVER_SEALED,
	RECOVER_DEK,
	RECOVER_KEK,
	RECOVER_ROOT_ID,
	RECOVER_WRAPPED,
	RECOVER_KEY,
	RECOVER_ROTATION,
	RECOVER_ABOUT_SECRET,
	RECOVER_ABOUT_VERSION,
};

static const struct columns recover_columns = { 0, COLUMNS_ANY, 15,
	{
	    [RECOVER_SECRET] = { .type = COLUMN_UUID },
	    [RECOVER_PROJECT] = { .type = COLUMN_UUID },
	    [RECOVER_PATH] = { .type = COLUMN_TEXT },
	    [RECOVER_NAME] = { .type = COLUMN_TEXT },
	    [RECOVER_REVISION] = { .type = COLUMN_INT4 },
	    [RECOVER_STATUS] = { .type = COLUMN_TEXT },
	    [RECOVER_SEALED] = { .type = COLUMN_BYTEA, .null = true },
	    [RECOVER_DEK] = { .type = COLUMN_BYTEA, .null = true },
	    [RECOVER_KEK] = { .type = COLUMN_UUID, .null = true },
	    [RECOVER_ROOT_ID] = { .type = COLUMN_TEXT, .null = true },
	    [RECOVER_WRAPPED] = { .type = COLUMN_BYTEA, .null = true },
	    [RECOVER_KEY] = { .type = COLUMN_UUID, .null = true },
	    [RECOVER_ROTATION] = { .type = COLUMN_INT4, .null = true },
	    [RECOVER_ABOUT_SECRET] = { .type = COLUMN_TEXT },
	    [RECOVER_ABOUT_VERSION] = { .type = COLUMN_TEXT },
	} };

/* What holds keys and plaintext, in locked memory. */
struct recover {
	unsigned char wrap_key[KEYRING_WRAP_KEY_SIZE];
	unsigned char dek[ENVELOPE_SIZE_MAX];
	unsigned char plain[ENVELOPE_SIZE_MAX];
	char text[BASE64_ENCODED_SIZE(ENVELOPE_SIZE_MAX)];
	size_t size;
};

struct recover_options {
	const char *secret;
	const char *project;
	const char *revision; /* NULL: all */
	bool yes;
};

static bool
recover_is_revision(const char *text)
{
	const size_t size = strlen(text);

	return (size > 0 && size < 10 && text[0] != '0' &&
	    strspn(text, "0123456789") == size);
}

static bool
recover_read_options(struct recover_options *values, struct command_run *run)
{
	struct command_value option;
	const char *id;

	while (command_option_next(run, &option) == COMMAND_OPTION) {
		if (strcmp(option.name, "secret") == 0)
			values->secret = option.value;
		else if (strcmp(option.name, "project") == 0)
			values->project = option.value;
		else if (strcmp(option.name, "revision") == 0)
			values->revision = option.value;
		else
			values->yes = true;
	}
	id = values->secret != NULL ? values->secret : values->project;
	return (id != NULL && utf8_is_uuid(id) &&
	    (values->secret == NULL || values->project == NULL) &&
	    (values->revision == NULL ||
		(values->secret != NULL &&
		    recover_is_revision(values->revision))));
}

static unsigned int
recover_revision(const PGresult *result, int row)
{
	return ((unsigned int)columns_number(result, row, RECOVER_REVISION));
}

static bool
recover_wrap_key(struct recover *recover, struct keyring *keyring,
    const PGresult *result, int row)
{
	const unsigned char *kek = columns_uuid(result, row, RECOVER_KEK);
	const unsigned char *project =
	    columns_uuid(result, row, RECOVER_PROJECT);
	struct keyring_place place = { .rotation = (uint32_t)columns_number(
					   result, row, RECOVER_ROTATION) };
	struct keyring_wrapped wrapped;

	uuid_copy(place.kek, kek);
	uuid_copy(place.project, project);
	if (!columns_is_null(result, row, RECOVER_KEY))
		uuid_copy(place.key, columns_uuid(result, row, RECOVER_KEY));
	return (wrapped_read(result, row, RECOVER_ROOT_ID, &wrapped) &&
	    keyring_kek_load(keyring, &place, &wrapped) &&
	    keyring_wrap_key(keyring, kek, project,
		columns_uuid(result, row, RECOVER_SECRET), recover->wrap_key));
}

/* The payload encoding begins with 00, or with 01 and a checksum. */
static size_t
recover_prefix(const struct recover *recover)
{
	return (recover->plain[0] == 0 ? 1 : 5);
}

/* From key to key: root key, KEK, wrap key, DEK, payload. */
static bool
recover_decrypt(struct recover *recover, struct keyring *keyring,
    const PGresult *result, int row)
{
	struct envelope_place place = {
		.kind = "dek",
		.project = columns_uuid(result, row, RECOVER_PROJECT),
		.secret = columns_uuid(result, row, RECOVER_SECRET),
		.revision = recover_revision(result, row),
		.kek = columns_uuid(result, row, RECOVER_KEK),
	};
	size_t dek_size, size;
	const unsigned char *dek =
	    columns_bytes(result, row, RECOVER_DEK, &dek_size);
	const unsigned char *payload =
	    columns_bytes(result, row, RECOVER_SEALED, &size);

	if (!recover_wrap_key(recover, keyring, result, row) ||
	    !envelope_decrypt(recover->wrap_key, &place, dek, dek_size,
		recover->dek, &recover->size) ||
	    recover->size != ENVELOPE_KEY_SIZE)
		return (false);
	place.kind = "pay";
	place.kek = NULL;
	return (envelope_decrypt(recover->dek, &place, payload, size,
		    recover->plain, &recover->size) &&
	    recover->size >= recover_prefix(recover));
}

/* Its managed key was purged, which is not a failure. */
static bool
recover_is_destroyed(const PGresult *result, int row)
{
	return (columns_is_null(result, row, RECOVER_DEK));
}

/* Prints the versions that will be missing; returns their number. */
static int
recover_count_destroyed(const PGresult *result)
{
	char secret[UUID_STR_LEN];
	int row, count = 0;

	for (row = 0; row < columns_rows(result); row++) {
		if (!recover_is_destroyed(result, row))
			continue;
		count++;
		uuid_unparse_lower(
		    columns_uuid(result, row, RECOVER_SECRET), secret);
		fprintf(stderr,
		    "coffer: revision %u of %s, %s, is lost: its key was "
		    "destroyed\n",
		    recover_revision(result, row), secret,
		    columns_text(result, row, RECOVER_NAME));
	}
	if (count > 0)
		fprintf(stderr,
		    "coffer: %d of %d versions cannot be recovered\n", count,
		    columns_rows(result));
	return (count);
}

/* The checksum that the client gave with the payload, as a member. */
static void
recover_print_checksum(const struct recover *recover)
{
	if (recover->plain[0] != 0)
		printf("\"data_crc32\":%lu,",
		    (unsigned long)recover->plain[1] << 24 |
			(unsigned long)recover->plain[2] << 16 |
			(unsigned long)recover->plain[3] << 8 |
			(unsigned long)recover->plain[4]);
}

/* Versions are how many of the secret are printed. */
static void
recover_print(
    struct recover *recover, const PGresult *result, int row, int versions)
{
	struct json_object *path =
	    json_object_new_string(columns_text(result, row, RECOVER_PATH));
	struct json_object *name =
	    json_object_new_string(columns_text(result, row, RECOVER_NAME));
	const size_t prefix = recover_prefix(recover);
	char secret[UUID_STR_LEN];

	uuid_unparse_lower(columns_uuid(result, row, RECOVER_SECRET), secret);
	base64_encode(
	    recover->plain + prefix, recover->size - prefix, recover->text);
	printf("{\"secret_id\":\"%s\",\"path\":%s,\"name\":%s,"
	       "\"revision\":%u,\"status\":\"%s\",\"data\":\"%s\",",
	    secret,
	    json_object_to_json_string_ext(
		path, JSON_C_TO_STRING_NOSLASHESCAPE),
	    json_object_to_json_string_ext(
		name, JSON_C_TO_STRING_NOSLASHESCAPE),
	    recover_revision(result, row),
	    columns_text(result, row, RECOVER_STATUS), recover->text);
	recover_print_checksum(recover);
	printf("\"versions\":%d,\"secret\":%s,\"version\":%s}\n", versions,
	    columns_text(result, row, RECOVER_ABOUT_SECRET),
	    columns_text(result, row, RECOVER_ABOUT_VERSION));
	json_object_put(name);
	json_object_put(path);
}

/* Asks before values appear in clear on the screen. */
static bool
recover_is_wanted(const struct recover_options *options, int count)
{
	char answer[8] = "";

	if (options->yes)
		return (true);
	fprintf(stderr, "Print %d version%s in clear? [y/N] ", count,
	    count == 1 ? "" : "s");
	return (fgets(answer, sizeof(answer), stdin) != NULL &&
	    (answer[0] == 'y' || answer[0] == 'Y'));
}

/*
 * Finds out which rows can be decrypted, and prints which cannot; returns the
 * number of those that can.
 */
static int
recover_try(struct recover *recover, struct keyring *keyring,
    const PGresult *result, bool *readable)
{
	char secret[UUID_STR_LEN];
	int row, count = 0;

	for (row = 0; row < columns_rows(result); row++) {
		if (recover_is_destroyed(result, row))
			continue;
		readable[row] = recover_decrypt(recover, keyring, result, row);
		if (readable[row]) {
			count++;
			continue;
		}
		uuid_unparse_lower(
		    columns_uuid(result, row, RECOVER_SECRET), secret);
		fprintf(stderr,
		    "coffer: revision %u of %s cannot be decrypted under root "
		    "key %s\n",
		    recover_revision(result, row), secret,
		    columns_text(result, row, RECOVER_ROOT_ID));
	}
	return (count);
}

/* How many versions of the secret of a row, which stand together, are readable. */
static int
recover_versions(const PGresult *result, const bool *readable, int row)
{
	const unsigned char *secret = columns_uuid(result, row, RECOVER_SECRET);
	int first = row, count = 0;

	while (first > 0 &&
	    uuid_compare(
		columns_uuid(result, first - 1, RECOVER_SECRET), secret) == 0)
		first--;
	for (row = first; row < columns_rows(result) &&
	     uuid_compare(columns_uuid(result, row, RECOVER_SECRET), secret) ==
		 0;
	     row++)
		count += readable[row];
	return (count);
}

static bool
recover_print_all(struct recover *recover, struct keyring *keyring,
    const PGresult *result, const bool *readable)
{
	int row;

	/* A stream would keep what went through its buffer. */
	setvbuf(stdout, NULL, _IONBF, 0);
	for (row = 0; row < columns_rows(result); row++) {
		if (!readable[row])
			continue;
		if (!recover_decrypt(recover, keyring, result, row))
			return (false);
		recover_print(recover, result, row,
		    recover_versions(result, readable, row));
	}
	return (true);
}

static int
recover_all(struct keyring *keyring, const PGresult *result, int count,
    const struct recover_options *options)
{
	struct recover *recover = memory_new_locked(sizeof(*recover));
	bool *readable = memory_new_array(
	    (size_t)columns_rows(result) + 1, sizeof(*readable));
	const int found = recover_try(recover, keyring, result, readable);
	int code = 1;

	if (found > 0 && recover_is_wanted(options, found) &&
	    recover_print_all(recover, keyring, result, readable) &&
	    found == count)
		code = 0;
	memory_free(readable);
	memory_free_locked(recover, sizeof(*recover));
	return (code);
}

static int
recover_run(const struct settings *settings, struct keyring *keyring,
    const struct recover_options *options)
{
	const char *values[] = { options->secret, options->project,
		options->revision };
	PGconn *connection = command_connect("dsn_owner", settings->dsn_owner);
	PGresult *result = NULL;
	int count, code = 1;

	if (connection == NULL)
		return (1);
	result = command_query(
	    connection, RECOVER_BEGIN_SQL, 0, NULL, NULL, NULL, NULL);
	if (result != NULL) {
		PQclear(result);
		result = command_query(connection, RECOVER_SQL, 3, values, NULL,
		    NULL, &recover_columns);
	}
	if (result != NULL && columns_rows(result) == 0)
		fprintf(stderr, "coffer: there is no such version\n");
	count = columns_rows(result) - recover_count_destroyed(result);
	if (count > 0)
		code = recover_all(keyring, result, count, options);
	PQclear(result);
	PQfinish(connection);
	return (code);
}

int
command_recover(struct command_run *run)
{
	struct recover_options options = { .yes = false };
	struct keyring *keyring;
	char cause[256] = "";
	int code;

	if (!recover_read_options(&options, run))
		return (COMMAND_USAGE);
	memory_hide();
	keyring = keyring_new(run->settings, cause, sizeof(cause));
	if (keyring == NULL) {
		fprintf(stderr, "coffer: setting %s\n", cause);
		return (2);
	}
	/* The copy may have wraps of earlier releases. */
	keyring_take_unbound(keyring);
	code = recover_run(run->settings, keyring, &options);
	keyring_free(keyring);
	return (code);
}
