#include <libpq-fe.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uuid/uuid.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "command/command.h"
#include "command/command_api_key.h"
#include "db/wrapped.h"
#include "keys/keyring.h"

#define API_KEY_ACCESS_SIZE 21 /* SCW, 17 of [A-Z0-9], NUL */

#define API_KEY_PEPPER_GET_SQL \
	"SELECT root_id, wrapped FROM daemon.pepper_get()"
#define API_KEY_PEPPER_KEEP_SQL \
	"SELECT root_id, wrapped FROM daemon.pepper_keep($1::text, $2::bytea)"
#define API_KEY_ADD_SQL                                               \
	"SELECT operator.api_key_add($1::uuid, $2::text, $3::bytea, " \
	"$4::uuid, $5::text, coalesce($6::timestamptz, "              \
	"clock_timestamp() + make_interval(secs => $7::float8)))"

/* RFC 3339, and a number with a unit. */
#define API_KEY_TIME                                                   \
	"^[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt ]" \
	"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)"                \
	"([.][0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
#define API_KEY_DURATION "^[1-9][0-9]{0,4}[smhdw]$"

static const struct columns api_key_pepper_columns = { 0, 1, 2,
	{ { .type = COLUMN_TEXT }, { .type = COLUMN_BYTEA } } };
static const struct columns api_key_add_columns = { 1, 1, 1,
	{ { .type = COLUMN_UUID } } };

struct api_key {
	const char *principal;
	const char *project;
	const char *description;
	const char *expires_at;
	const char *lifetime; /* in seconds */
	char lifetime_text[16];
	char access_key[API_KEY_ACCESS_SIZE];
	char secret_key[UTF8_UUID_SIZE];
	unsigned char digest[KEYRING_DIGEST_SIZE];
};

static bool
api_key_matches(const char *text, const char *pattern)
{
	regex_t compiled;
	bool matches;

	if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return (false);
	matches = regexec(&compiled, text, 0, NULL, 0) == 0;
	regfree(&compiled);
	return (matches);
}

/* Of the form of RFC 3339, and a day that its month has. */
static bool
api_key_is_time(const char *text)
{
	struct tm day;
	int number;

	memset(&day, 0, sizeof(day));
	if (!api_key_matches(text, API_KEY_TIME) ||
	    strptime(text, "%Y-%m-%d", &day) == NULL)
		return (false);
	number = day.tm_mday;
	timegm(&day); /* makes 1 March of 29 February where there is none */
	return (day.tm_mday == number);
}

/* The database adds a duration to its own time, and refuses one that is past. */
static bool
api_key_read_expiry(struct api_key *key)
{
	static const char units[] = "smhdw";
	static const long seconds[] = { 1, 60, 3600, 86400, 604800 };
	const char *text = key->expires_at;

	if (text == NULL || api_key_is_time(text))
		return (true);
	if (!api_key_matches(text, API_KEY_DURATION)) {
		fprintf(
		    stderr, "coffer: --expires-at is not a time: %s\n", text);
		return (false);
	}
	snprintf(key->lifetime_text, sizeof(key->lifetime_text), "%ld",
	    strtol(text, NULL, 10) *
		seconds[strchr(units, text[strlen(text) - 1]) - units]);
	key->lifetime = key->lifetime_text;
	key->expires_at = NULL;
	return (true);
}

static bool
api_key_read_options(struct api_key *key, struct command_run *run)
{
	struct command_value option;

	while (command_option_next(run, &option) == COMMAND_OPTION) {
		if (strcmp(option.name, "principal") == 0)
			key->principal = option.value;
		else if (strcmp(option.name, "project") == 0)
			key->project = option.value;
		else if (strcmp(option.name, "description") == 0)
			key->description = option.value;
		else
			key->expires_at = option.value;
	}
	return (key->principal != NULL && utf8_is_uuid(key->principal) &&
	    api_key_read_expiry(key) &&
	    (key->project == NULL || utf8_is_uuid(key->project)));
}

/* Unwraps the pepper of the database, and makes one when there is none. */
static bool
api_key_unwrap_pepper(PGconn *connection, struct keyring *keyring)
{
	struct keyring_wrapped wrapped;
	const char *values[] = { wrapped.root_id, (char *)wrapped.bytes };
	const int sizes[] = { 0, sizeof(wrapped.bytes) };
	const int formats[] = { 0, 1 };
	PGresult *result;
	bool unwrapped;

	result = command_query(connection, API_KEY_PEPPER_GET_SQL, 0, NULL,
	    NULL, NULL, &api_key_pepper_columns);
	if (result != NULL && columns_rows(result) == 0) {
		PQclear(result);
		keyring_pepper_make(keyring, &wrapped);
		result = command_query(connection, API_KEY_PEPPER_KEEP_SQL, 2,
		    values, sizes, formats, &api_key_pepper_columns);
	}
	if (result == NULL)
		return (false);
	unwrapped = wrapped_read(result, 0, 0, &wrapped) &&
	    keyring_pepper_load(keyring, &wrapped);
	if (!unwrapped)
		fprintf(
		    stderr, "coffer: no loaded root key unwraps the pepper\n");
	PQclear(result);
	return (unwrapped);
}

/* Characters of a byte that would not be equally likely are drawn again. */
static void
api_key_mint(struct api_key *key, const struct keyring *keyring)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	const unsigned char count = sizeof(letters) - 1;
	unsigned char byte;
	uuid_t secret;
	size_t i = 3;

	memcpy(key->access_key, "SCW", i);
	while (i < API_KEY_ACCESS_SIZE - 1) {
		crypto_random(&byte, sizeof(byte));
		if (byte < 256 / count * count)
			key->access_key[i++] = letters[byte % count];
	}
	uuid_generate_random(secret);
	uuid_unparse_lower(secret, key->secret_key);
	memory_wipe(secret, sizeof(secret));
	keyring_digest(keyring, key->secret_key, key->digest);
}

static bool
api_key_run(PGconn *connection, const char *sql)
{
	PGresult *result =
	    command_query(connection, sql, 0, NULL, NULL, NULL, NULL);

	PQclear(result);
	return (result != NULL);
}

static bool
api_key_print(const struct api_key *key)
{
	printf(
	    "access_key=%s\nsecret_key=%s\n", key->access_key, key->secret_key);
	return (command_flush());
}

static bool
api_key_add(PGconn *connection, const struct api_key *key)
{
	const char *values[] = { key->principal, key->access_key,
		(const char *)key->digest, key->project,
		key->description != NULL ? key->description : "",
		key->expires_at, key->lifetime };
	const int sizes[] = { 0, 0, sizeof(key->digest), 0, 0, 0, 0 };
	const int formats[] = { 0, 0, 1, 0, 0, 0, 0 };
	PGresult *result;

	result = command_query(connection, API_KEY_ADD_SQL, 7, values, sizes,
	    formats, &api_key_add_columns);
	PQclear(result);
	return (result != NULL);
}

/* The key is printed before the commit, so that none is lost unseen. */
static bool
api_key_keep(PGconn *connection, const struct api_key *key)
{
	if (!api_key_run(connection, "BEGIN") ||
	    !api_key_add(connection, key) || !api_key_print(key))
		return (false);
	if (api_key_run(connection, "COMMIT"))
		return (true);
	fprintf(stderr,
	    "coffer: the printed key may be invalid: its commit failed\n");
	return (false);
}

static bool
api_key_create(const struct settings *settings, struct api_key *key)
{
	struct keyring *keyring = NULL;
	PGconn *connection = NULL;
	char cause[256] = "";
	bool created = false;

	keyring = keyring_new(settings, cause, sizeof(cause));
	if (keyring == NULL) {
		fprintf(stderr, "coffer: setting %s\n", cause);
		goto out;
	}
	connection = command_connect("dsn_operator", settings->dsn_operator);
	if (connection == NULL || !api_key_unwrap_pepper(connection, keyring))
		goto out;
	api_key_mint(key, keyring);
	created = api_key_keep(connection, key);

out:
	PQfinish(connection);
	keyring_free(keyring);
	return (created);
}

int
command_api_key_create(struct command_run *run)
{
	struct api_key key;
	bool created;

	memset(&key, 0, sizeof(key));
	if (!api_key_read_options(&key, run))
		return (COMMAND_USAGE);
	memory_hide();
	created = api_key_create(run->settings, &key);
	memory_wipe(&key, sizeof(key));
	return (created ? 0 : 1);
}
