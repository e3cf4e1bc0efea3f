#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/log.h"
#include "base/memory.h"
#include "db/columns.h"
#include "db/pgarray.h"
#include "db/wrapped.h"
#include "job/background.h"
#include "job/rekey.h"
#include "keys/keyring.h"

/* After each transaction, in which others have their turn. */
#define REKEY_PAUSE 50 /* ms */

#define REKEY_ARRAYS 5

/* The chore that ends the old form of wraps, and is not done again then. */
#define REKEY_BINDS 0

/*
 * The chores are done one after the other.  Each asks what is due after the
 * last id that it has seen, a batch at a time, and does it, until nothing
 * comes; so one thing that cannot be done does not keep the others waiting.
 * All state is in the database: a daemon that ends leaves off anywhere.
 */
struct rekey {
	struct background background;
	struct keyring *keyring;
	const char *instance;
	size_t chore;
	uuid_t cursor;
	bool has_cursor;
	uuid_t before; /* the cursor, before this batch */
	bool has_before;
	char cursor_text[UUID_STR_LEN];
	char root_id[ROOT_KEY_ID_SIZE];
	char pepper_root_id[ROOT_KEY_ID_SIZE];
	size_t unbound; /* KEKs of the old form that this look has found */
	struct keyring_wrapped pepper; /* that ends the old form */
	bool ends;
	struct pgarray arrays[REKEY_ARRAYS];
};

/* Reads what is due and fills the arrays; gives how many it can do. */
typedef size_t (*rekey_fill)(struct rekey *, const PGresult *);

static background_done rekey_found, rekey_kept;

/* Columns --------------------------------------------------------------------- */

/* Two of the columns may be null: then it is a KEK of the project. */
static struct keyring_place
rekey_place(const PGresult *result, int row, const int columns[4])
{
	struct keyring_place place = { .rotation = (uint32_t)columns_number(
					   result, row, columns[3]) };

	uuid_copy(place.kek, columns_uuid(result, row, columns[0]));
	uuid_copy(place.project, columns_uuid(result, row, columns[1]));
	uuid_copy(place.key, columns_uuid(result, row, columns[2]));
	return (place);
}

static void
rekey_complain(const char *event, const uuid_t id, const char *root_id)
{
	char text[UUID_STR_LEN];

	uuid_unparse_lower(id, text);
	log_error(event, log_text("id", text), log_text("root_id", root_id));
}

static void
rekey_arrays(
    struct rekey *rekey, const Oid *types, const size_t *sizes, size_t rows)
{
	size_t i;

	for (i = 0; i < REKEY_ARRAYS && sizes[i] != 0; i++)
		pgarray_new(&rekey->arrays[i], types[i], rows, sizes[i]);
}

/* Chores ---------------------------------------------------------------------- */

/* What has no id of its own comes with zeros before, or instead of, its name. */
static bool
rekey_rewrap(const struct keyring *keyring, const struct keyring_place *place,
    struct keyring_wrapped *wrapped)
{
	static const unsigned char zeros[sizeof(uuid_t) / 2];

	if (uuid_is_null(place->kek))
		return (keyring_pepper_rewrap(keyring, wrapped));
	if (memcmp(place->kek, zeros, sizeof(zeros)) == 0)
		return (keyring_signer_rewrap(keyring, wrapped));
	return (keyring_kek_rewrap(keyring, place, wrapped));
}

/* What it makes is wrapped under the root key in that column from now on. */
static bool
rekey_activate(struct rekey *rekey, const PGresult *result, int column)
{
	snprintf(rekey->root_id, sizeof(rekey->root_id), "%s",
	    columns_text(result, 0, column));
	/* One that is not loaded is a fault, which the drift check finds. */
	return (keyring_activate(rekey->keyring, rekey->root_id));
}

/* Of what is looked at for its form, the pepper waits until no KEK is left. */
static bool
rekey_is_left(struct rekey *rekey, const struct keyring_place *place,
    const struct keyring_wrapped *wrapped)
{
	if (rekey->chore != REKEY_BINDS)
		return (false);
	if (!uuid_is_null(place->kek))
		return (keyring_kek_is_bound(rekey->keyring, place, wrapped));
	memcpy(rekey->pepper_root_id, wrapped->root_id,
	    sizeof(rekey->pepper_root_id));
	return (true);
}

/* Arrays: ids, old root ids, none, wrapped keys. */
static size_t
rekey_fill_wrapped(struct rekey *rekey, const PGresult *result)
{
	static const Oid types[] = { COLUMN_UUID, COLUMN_TEXT, COLUMN_BYTEA };
	static const size_t sizes[REKEY_ARRAYS] = { sizeof(uuid_t),
		ROOT_KEY_ID_SIZE - 1, CRYPTO_SEALED_SIZE };
	static const int columns[] = { 0, 1, 5, 6 };
	struct keyring *keyring = rekey->keyring;
	struct keyring_wrapped wrapped = { .root_id = "" };
	struct keyring_place place;
	size_t count = 0;
	bool opened;
	int row;

	rekey_arrays(rekey, types, sizes, (size_t)columns_rows(result));
	if (!rekey_activate(rekey, result, 4))
		return (0);
	for (row = 0; row < columns_rows(result); row++) {
		place = rekey_place(result, row, columns);
		opened = wrapped_read(result, row, 2, &wrapped);
		if (rekey_is_left(rekey, &place, &wrapped))
			continue;
		pgarray_set(&rekey->arrays[1], count, wrapped.root_id);
		if (!opened || !rekey_rewrap(keyring, &place, &wrapped)) {
			rekey_complain("key cannot be unwrapped", place.kek,
			    wrapped.root_id);
			continue;
		}
		if (rekey->chore == REKEY_BINDS)
			rekey->unbound++;
		pgarray_set(&rekey->arrays[0], count, place.kek);
		pgarray_set(&rekey->arrays[2], count++, wrapped.bytes);
	}
	return (count);
}

static size_t
rekey_fill_keks(struct rekey *rekey, const PGresult *result)
{
	static const Oid types[] = { COLUMN_UUID, COLUMN_UUID, COLUMN_BYTEA };
	static const size_t sizes[REKEY_ARRAYS] = { sizeof(uuid_t),
		sizeof(uuid_t), CRYPTO_SEALED_SIZE };
	struct keyring_place place = { .rotation = 0 };
	struct keyring_wrapped wrapped;
	size_t row, rows = (size_t)columns_rows(result);

	rekey_arrays(rekey, types, sizes, rows);
	if (!rekey_activate(rekey, result, 2))
		return (0);
	for (row = 0; row < rows; row++) {
		uuid_copy(place.project, columns_uuid(result, (int)row, 1));
		keyring_kek_make(rekey->keyring, &place, &wrapped);
		pgarray_set(
		    &rekey->arrays[0], row, columns_uuid(result, (int)row, 0));
		pgarray_set(&rekey->arrays[1], row, place.kek);
		pgarray_set(&rekey->arrays[2], row, wrapped.bytes);
	}
	return (rows);
}

/* The wrap key of secret under the KEK at columns, wrapped in the next two. */
static bool
rekey_wrap_key(struct rekey *rekey, const PGresult *result, int row,
    const int columns[4], unsigned char key[KEYRING_WRAP_KEY_SIZE])
{
	struct keyring *keyring = rekey->keyring;
	const unsigned char *secret = columns_uuid(result, row, 0);
	struct keyring_place place = rekey_place(result, row, columns);
	struct keyring_wrapped wrapped = { .root_id = "" };

	if (keyring_wrap_key(keyring, place.kek, place.project, secret, key))
		return (true);
	if (wrapped_read(result, row, columns[0] + 1, &wrapped) &&
	    keyring_kek_load(keyring, &place, &wrapped) &&
	    keyring_wrap_key(keyring, place.kek, place.project, secret, key))
		return (true);
	rekey_complain("key cannot be unwrapped", place.kek, wrapped.root_id);
	return (false);
}

static size_t
rekey_fill_deks(struct rekey *rekey, const PGresult *result)
{
	static const Oid types[] = { COLUMN_UUID, COLUMN_UUID, COLUMN_UUID,
		COLUMN_BYTEA, COLUMN_BYTEA };
	static const size_t sizes[REKEY_ARRAYS] = { sizeof(uuid_t),
		sizeof(uuid_t), sizeof(uuid_t), KEYRING_WRAP_KEY_SIZE,
		KEYRING_WRAP_KEY_SIZE };
	static const int old[] = { 2, 1, 8, 9 }, new[] = { 5, 1, 8, 10 };
	unsigned char keys[2][KEYRING_WRAP_KEY_SIZE];
	size_t count = 0;
	int row;

	rekey_arrays(rekey, types, sizes, (size_t)columns_rows(result));
	for (row = 0; row < columns_rows(result); row++) {
		if (!rekey_wrap_key(rekey, result, row, old, keys[0]) ||
		    !rekey_wrap_key(rekey, result, row, new, keys[1]))
			continue;
		pgarray_set(
		    &rekey->arrays[0], count, columns_uuid(result, row, 0));
		pgarray_set(
		    &rekey->arrays[1], count, columns_uuid(result, row, 2));
		pgarray_set(
		    &rekey->arrays[2], count, columns_uuid(result, row, 5));
		pgarray_set(&rekey->arrays[3], count, keys[0]);
		pgarray_set(&rekey->arrays[4], count++, keys[1]);
	}
	memory_wipe(keys, sizeof(keys));
	return (count);
}

static const struct rekey_chore {
	const char *due;
	rekey_fill fill;
	const char *keep;
	const char *name;
} rekey_chores[] = {
	[REKEY_BINDS] = { STATEMENT_UNBOUND_DUE, rekey_fill_wrapped,
	    STATEMENT_WRAPPED_KEEP, "keys bound to what they are of" },
	{ STATEMENT_WRAPPED_DUE, rekey_fill_wrapped, STATEMENT_WRAPPED_KEEP,
	    "keys moved to the active root key" },
	{ STATEMENT_KEK_DUE, rekey_fill_keks, STATEMENT_KEK_REPLACE,
	    "projects got a new key" },
	{ STATEMENT_DEK_DUE, rekey_fill_deks, STATEMENT_DEK_REWRAP,
	    "versions moved to a new key" },
};

/* Rounds ------------------------------------------------------------------------ */

static void
rekey_ask(struct rekey *rekey)
{
	struct background *background = &rekey->background;

	uuid_unparse_lower(rekey->cursor, rekey->cursor_text);
	background_text(
	    background, 0, rekey->has_cursor ? rekey->cursor_text : NULL);
	background_text(background, 1, STATEMENT_BATCH_TEXT);
	background_text(background, 2, rekey->instance);
	if (!rekey->has_cursor)
		rekey->unbound = 0;
	background_query(background, rekey_chores[rekey->chore].due,
	    rekey->chore == REKEY_BINDS ? 3 : 2, rekey_found);
}

static void
rekey_begin(void *owner)
{
	struct rekey *rekey = owner;

	if (rekey->chore == REKEY_BINDS &&
	    !keyring_takes_unbound(rekey->keyring))
		rekey->chore++;
	if (!background_is_stopping(&rekey->background))
		rekey_ask(rekey);
}

/* After the last chore comes the first one, in a while. */
static void
rekey_next_chore(struct rekey *rekey)
{
	const size_t count = sizeof(rekey_chores) / sizeof(rekey_chores[0]);

	rekey->has_cursor = false;
	rekey->chore = (rekey->chore + 1) % count;
	if (rekey->chore == 0)
		background_wait(&rekey->background);
	else
		rekey_ask(rekey);
}

static void
rekey_forget(struct rekey *rekey)
{
	size_t i;

	for (i = 0; i < REKEY_ARRAYS; i++)
		pgarray_free(&rekey->arrays[i]);
}

/* Both of the first two chores keep: ids, ids, a root id, wrapped keys. */
static void
rekey_keep(struct rekey *rekey, size_t done)
{
	const struct rekey_chore *chore = &rekey_chores[rekey->chore];
	struct session_parameter *parameters =
	    rekey->background.query.parameters;
	size_t i, count = 0;

	for (i = 0; i < REKEY_ARRAYS && rekey->arrays[i].bytes != NULL; i++) {
		pgarray_cut(&rekey->arrays[i], done);
		if (i == 2 && chore->fill != rekey_fill_deks)
			background_text(
			    &rekey->background, count++, rekey->root_id);
		parameters[count++] = pgarray_parameter(&rekey->arrays[i]);
	}
	background_query(&rekey->background, chore->keep, count, rekey_kept);
}

/* Nothing of the old form is left: the pepper says so from now on. */
static void
rekey_end_unbound(struct rekey *rekey)
{
	static const Oid types[] = { COLUMN_UUID, COLUMN_TEXT, COLUMN_BYTEA };
	static const size_t sizes[REKEY_ARRAYS] = { sizeof(uuid_t),
		ROOT_KEY_ID_SIZE - 1, CRYPTO_SEALED_SIZE };
	static const uuid_t pepper;

	keyring_pepper_bind(rekey->keyring, &rekey->pepper);
	snprintf(rekey->root_id, sizeof(rekey->root_id), "%s",
	    rekey->pepper.root_id);
	rekey_arrays(rekey, types, sizes, 1);
	pgarray_set(&rekey->arrays[0], 0, pepper);
	pgarray_set(&rekey->arrays[1], 0, rekey->pepper_root_id);
	pgarray_set(&rekey->arrays[2], 0, rekey->pepper.bytes);
	rekey->ends = true;
	rekey_keep(rekey, 1);
}

static void
rekey_found(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct rekey *rekey = query->owner;
	size_t done;

	if (error == NULL && columns_rows(result) == 0 && rekey->has_cursor &&
	    rekey->chore == REKEY_BINDS && rekey->unbound == 0)
		return (rekey_end_unbound(rekey));
	if (error != NULL || columns_rows(result) == 0)
		return (rekey_next_chore(rekey));
	uuid_copy(rekey->before, rekey->cursor);
	rekey->has_before = rekey->has_cursor;
	uuid_copy(
	    rekey->cursor, columns_uuid(result, columns_rows(result) - 1, 0));
	rekey->has_cursor = true;
	done = rekey_chores[rekey->chore].fill(rekey, result);
	if (done > 0)
		return (rekey_keep(rekey, done));
	rekey_forget(rekey);
	background_pause(&rekey->background, REKEY_PAUSE);
}

static void
rekey_kept(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct rekey *rekey = query->owner;
	/* With an error there is no result, of which all is 0. */
	const int64_t done = columns_number(result, 0, 0);
	const int64_t broken = columns_number(result, 0, 1);

	(void)error;
	rekey_forget(rekey);
	if (rekey->ends) {
		rekey->ends = false;
		if (done > 0 &&
		    keyring_pepper_load(rekey->keyring, &rekey->pepper))
			log_info(
			    "wraps of the old form are refused from now on");
		return (rekey_next_chore(rekey));
	}
	if (done > 0)
		log_info(
		    rekey_chores[rekey->chore].name, log_number("count", done));
	if (broken > 0)
		log_error("keys of versions cannot be unwrapped",
		    log_number("count", broken));
	/* Not all of the batch was done: it is asked for again. */
	if (columns_flag(result, 0, 2)) {
		uuid_copy(rekey->cursor, rekey->before);
		rekey->has_cursor = rekey->has_before;
	}
	background_pause(&rekey->background, REKEY_PAUSE);
}

struct rekey *
rekey_new(const struct background_host *host, long interval,
    struct keyring *keyring, const char *instance)
{
	struct rekey *rekey = memory_new(sizeof(*rekey));

	rekey->keyring = keyring;
	rekey->instance = instance;
	background_start(&rekey->background, host, "rekey", interval * 1000,
	    rekey_begin, rekey);
	return (rekey);
}

void
rekey_free(struct rekey *rekey)
{
	if (rekey == NULL)
		return;
	background_stop(&rekey->background);
	rekey_forget(rekey);
	memory_free(rekey);
}
