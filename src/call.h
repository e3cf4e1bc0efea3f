/*
 * The call of a request to its door, in as many rounds as it takes to bring
 * the key that the door asks for.
 */
#ifndef COFFER_CALL_H
#define COFFER_CALL_H

#include <event2/event.h>
#include <stdbool.h>
#include <uuid/uuid.h>

#include "keyring.h"
#include "query.h"

struct request;

struct call {
	struct query query;
	struct event *deadline;
	void (*answered)(struct request *request);
	int rounds;
	bool alone; /* the door wants it outside of a group */

	/* For which secret, and with which KEK, the key was derived. */
	bool has_key;
	uuid_t secret;
	uuid_t project;
	uuid_t kek;
	unsigned char key[KEYRING_ACCESS_KEY_SIZE];

	/* A new KEK on its way to the database. */
	char project_text[UUID_STR_LEN];
	char kek_text[UUID_STR_LEN];
	struct keyring_wrapped wrapped;
};

/*
 * Begins the call; answered is called later, with the outcome set, at the
 * request's deadline at the latest.  False: 503, and it will not be called.
 */
bool
call_request(struct request *request, void (*answered)(struct request *request))
    __attribute__((warn_unused_result));

/* Wipes the key; a call that runs is abandoned. */
void call_free(struct call *call);

#endif
