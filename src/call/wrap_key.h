/*
 * The wrap key of the secret that a call is about.  It is derived here from a
 * KEK, which the key cache or the challenge of the API function names.
 */
#ifndef COFFER_WRAP_KEY_H
#define COFFER_WRAP_KEY_H

#include <json-c/json.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <uuid/uuid.h>

#include "call/request.h"
#include "keys/keyring.h"

struct key_cache;
struct query;

/* Of one call, which sets the first part; wiped by it, too. */
struct wrap_key {
	struct request *request;
	struct keyring *keyring;
	struct key_cache *cache;

	/* The secret it is of, and the KEK it was derived from. */
	bool known;
	bool refused; /* the KEK cannot be unwrapped, and the call is refused */
	uuid_t secret;
	uuid_t project;
	uuid_t kek;
	unsigned char bytes[KEYRING_WRAP_KEY_SIZE];

	/* A KEK that is unwrapped, or is new and on its way to the database. */
	struct keyring_place place;
	char project_text[UUID_STR_LEN];
	char kek_text[UUID_STR_LEN];
	struct keyring_wrapped wrapped;
};

/* Derives it, if the key cache can spare a round. */
void wrap_key_guess(struct wrap_key *key);

/* Says in the request document what the key is of, if there is one. */
void wrap_key_describe(const struct wrap_key *key);

/* The API function needs the key, and gives the wrapped KEK. */
enum request_next
wrap_key_unwrap(struct wrap_key *key, struct json_object *challenge);

/*
 * The project has no KEK yet: makes one, and sets query to store it.  When that
 * is done, wrap_key_stored() takes the result.
 */
enum request_next wrap_key_make_kek(
    struct wrap_key *key, struct json_object *challenge, struct query *query);
enum request_next wrap_key_stored(struct wrap_key *key, const PGresult *result);

#endif
