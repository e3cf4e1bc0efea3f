/*
 * The access key of the secret that a call is about: derived here, by what is
 * remembered of earlier calls or by what the door says of its KEK.
 */
#ifndef COFFER_WRAP_KEY_H
#define COFFER_WRAP_KEY_H

#include <json-c/json.h>
#include <stdbool.h>
#include <uuid/uuid.h>

#include "keys/keyring.h"

struct request;

/* For which secret, and with which KEK, it was derived. */
struct wrap_key {
	bool known;
	bool closed; /* the KEK does not open: the door refuses the call */
	uuid_t secret;
	uuid_t project;
	uuid_t kek;
	unsigned char bytes[KEYRING_ACCESS_KEY_SIZE];

	/* A KEK that is opened, or is new and on its way to the database. */
	struct keyring_place place;
	char project_text[UUID_STR_LEN];
	char kek_text[UUID_STR_LEN];
	struct keyring_wrapped wrapped;
};

/* Derives it, if what is remembered may spare a round. */
void wrap_key_guess(struct request *request);

/* Says in the document what the key is for, if there is or should be one. */
void wrap_key_describe(struct request *request);

/* The door needs the key; goes on with the call. */
void wrap_key_open(struct request *request, struct json_object *need);

/* The door needs a KEK for the project first; goes on with the call. */
void wrap_key_make_kek(struct request *request, struct json_object *need);

#endif
