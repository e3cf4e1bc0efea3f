#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/log.h"
#include "base/memory.h"
#include "db/columns.h"
#include "job/background.h"
#include "job/rotate.h"
#include "keys/keyring.h"

/* As the database gives it. */
struct rotate_key {
	uuid_t id;
	uuid_t project;
	uint32_t rotation; /* the next one */
};

/* One key at a time: each rotation is a transaction with an audit row. */
struct rotate {
	struct background background;
	struct keyring *keyring;
	struct rotate_key due[STATEMENT_BATCH];
	size_t count;
	size_t next;
	char id_text[UUID_STR_LEN];
	char kek_text[UUID_STR_LEN];
	char rotation_text[16];
	struct keyring_wrapped wrapped;
};

static void rotate_done(struct query *, const PGresult *, const struct error *);

/* The rotation of the next key that is due, which another daemon may make. */
static void
rotate_next(struct rotate *rotate)
{
	struct background *background = &rotate->background;
	const struct rotate_key *key = &rotate->due[rotate->next];
	struct keyring_place place;

	if (rotate->next == rotate->count || background_is_stopping(background))
		return (background_wait(background));
	uuid_copy(place.project, key->project);
	uuid_copy(place.key, key->id);
	place.rotation = key->rotation;
	keyring_kek_make(rotate->keyring, &place, &rotate->wrapped);
	uuid_unparse_lower(key->id, rotate->id_text);
	uuid_unparse_lower(place.kek, rotate->kek_text);
	snprintf(rotate->rotation_text, sizeof(rotate->rotation_text), "%u",
	    key->rotation);
	rotate->next++;
	background_text(background, 0, rotate->id_text);
	background_text(background, 1, rotate->kek_text);
	background_text(background, 2, rotate->wrapped.root_id);
	background_bytes(background, 3, rotate->wrapped.bytes,
	    sizeof(rotate->wrapped.bytes));
	background_text(background, 4, rotate->rotation_text);
	background_query(background, STATEMENT_KEY_ROTATE, 5, rotate_done);
}

/* A key that fails stays due, and does not hold up the others. */
static void
rotate_done(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct rotate *rotate = query->owner;

	if (error == NULL && columns_flag(result, 0, 0))
		log_info("key rotated by its policy",
		    log_text("key_id", rotate->id_text));
	rotate_next(rotate);
}

static void
rotate_found(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct rotate *rotate = query->owner;
	struct rotate_key *key;
	int row;

	rotate->count = 0;
	rotate->next = 0;
	/* A root key that is not loaded is a fault, which the drift check finds. */
	if (error != NULL || columns_rows(result) == 0 ||
	    !keyring_activate(rotate->keyring, columns_text(result, 0, 2)))
		return (background_wait(&rotate->background));
	for (row = 0; row < columns_rows(result) && row < STATEMENT_BATCH;
	     row++) {
		key = &rotate->due[rotate->count++];
		uuid_copy(key->id, columns_uuid(result, row, 0));
		uuid_copy(key->project, columns_uuid(result, row, 1));
		key->rotation = (uint32_t)columns_number(result, row, 3);
	}
	rotate_next(rotate);
}

static void
rotate_begin(void *owner)
{
	struct rotate *rotate = owner;
	struct background *background = &rotate->background;

	background_text(background, 0, STATEMENT_BATCH_TEXT);
	background_query(background, STATEMENT_KEY_ROTATE_DUE, 1, rotate_found);
}

struct rotate *
rotate_new(
    const struct background_host *host, long interval, struct keyring *keyring)
{
	struct rotate *rotate = memory_new(sizeof(*rotate));

	rotate->keyring = keyring;
	background_start(&rotate->background, host, "rotate", interval * 1000,
	    rotate_begin, rotate);
	return (rotate);
}

void
rotate_free(struct rotate *rotate)
{
	if (rotate == NULL)
		return;
	background_stop(&rotate->background);
	memory_free(rotate);
}
