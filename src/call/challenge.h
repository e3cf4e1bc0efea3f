/*
 * Answers a challenge: the status 0 by which an API function says that it has
 * done nothing yet, and what it needs from the daemon.
 */
#ifndef COFFER_CHALLENGE_H
#define COFFER_CHALLENGE_H

#include <stdbool.h>

#include "call/request.h"

struct key_cache;
struct long_poll;
struct query;
struct wrap_key;

/* What the answers use. */
struct challenge {
	struct request *request;
	struct keyring *keyring;
	struct key_cache *cache;
	struct wrap_key *key;
	struct long_poll *poll;
	struct query *query; /* takes the statement of REQUEST_QUERY */
	bool alone; /* is set: the call needs a transaction of its own */
};

/*
 * Text is what the API function has said.  Returns what the call does next; a
 * malformed or unknown challenge ends it.
 */
enum request_next
challenge_answer(struct challenge *challenge, const char *text);

#endif
